#include "document.hpp"

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm-extension_api.h>

#include <algorithm>
#include <cstring>
#include <mutex>

namespace {

/// cmark keeps which characters begin something in a table that is one for the program; each document enters
/// those of its extensions and takes them out at its end, and another thread would no longer see them. So one
/// document at a time is finished. The lock is where the table is, with the library, as several copies of
/// this plugin may share that.
std::mutex& register_extensions() {
  static std::mutex* const lock = [] {
    cmark_gfm_core_extensions_ensure_registered();
    cmark_syntax_extension* holder = cmark_find_syntax_extension("strikethrough");
    if (cmark_syntax_extension_get_private(holder) == nullptr)
      cmark_syntax_extension_set_private(holder, new std::mutex, nullptr);
    return static_cast<std::mutex*>(cmark_syntax_extension_get_private(holder));
  }();
  return *lock;
}

/// What cmark's search for links costs in a text, in steps: it looks at a whole word again for each `)` and
/// `@` in it.
std::uint64_t autolink_cost(std::string_view text) noexcept {
  std::uint64_t cost = 0;
  std::uint64_t length = 0;
  std::uint64_t marks = 0;
  for (const char c : text) {
    if (c == ' ' || (c >= '\t' && c <= '\r') || c == '<') {
      cost += length * marks;
      length = marks = 0;
      continue;
    }
    ++length;
    marks += c == ')' || c == '@' ? 1 : 0;
  }
  return cost + length * marks;
}

}  // namespace

Dialect::Dialect(const std::vector<std::string>& extensions, Options options)
    : finishing_(&register_extensions()) {
  options_ = CMARK_OPT_VALIDATE_UTF8 | (options.unsafe ? CMARK_OPT_UNSAFE : 0) |
             (options.smart ? CMARK_OPT_SMART : 0) | (options.footnotes ? CMARK_OPT_FOOTNOTES : 0) |
             (options.hard_breaks ? CMARK_OPT_HARDBREAKS : 0);
  for (const std::string& name : extensions) {
    cmark_syntax_extension* extension = cmark_find_syntax_extension(name.c_str());
    if (name == "autolink") {
      autolink_ = extension;
    } else {
      extensions_.push_back(extension);
    }
  }
}

Document::Document(const Dialect& dialect, std::string_view text, std::size_t most,
                   bool (*is_wanted)(void*) noexcept, void* asker)
    : dialect_(dialect), text_(text), memory_(most, is_wanted, asker) {
  // Half a second on a slow machine; a text of words and links costs a few thousand steps.
  constexpr std::uint64_t most_steps = 1'000'000'000;
  without_autolinks_ = dialect.autolink_ != nullptr && autolink_cost(text) > most_steps;
  end_ = memory_.run(&make, this);
  if (is_finishing_) dialect.finishing_->unlock();  // It was left in there.
}

/// May be left at any call into cmark.
void Document::make(void* self) {
  auto& document = *static_cast<Document*>(self);
  const Dialect& dialect = document.dialect_;
  cmark_parser* parser = cmark_parser_new_with_mem(dialect.options_, DocumentMemory::functions());
  for (cmark_syntax_extension* extension : dialect.extensions_)
    cmark_parser_attach_syntax_extension(parser, extension);
  if (dialect.autolink_ != nullptr && !document.without_autolinks_)
    cmark_parser_attach_syntax_extension(parser, dialect.autolink_);
  // In pieces: between them it is asked whether anybody still waits. Small ones, as an empty line alone takes
  // milliseconds where a hundred thousand lists are open.
  constexpr std::size_t piece = 64;
  for (std::size_t at = 0; at < document.text_.size(); at += piece) {
    cmark_parser_feed(parser, document.text_.data() + at, std::min(piece, document.text_.size() - at));
    DocumentMemory::ask();
  }
  dialect.finishing_->lock();
  document.is_finishing_ = true;
  cmark_node* root = cmark_parser_finish(parser);
  document.is_finishing_ = false;
  dialect.finishing_->unlock();
  document.take_title(root);
  const char* html = cmark_render_html_with_mem(
      root, dialect.options_, cmark_parser_get_syntax_extensions(parser), DocumentMemory::functions());
  document.html_length_ = std::strlen(html);
  document.html_ = html;
}

void Document::add_to_title(const char* text) {
  if (text == nullptr) return;
  const std::size_t length = std::strlen(text);
  std::size_t take = std::min(length, title_.size() - title_length_);
  // A character is taken whole or not at all.
  while (take < length && take > 0 && (static_cast<unsigned char>(text[take]) & 0xC0U) == 0x80U) --take;
  std::memcpy(title_.data() + title_length_, text, take);
  title_length_ += take;
}

void Document::take_title(cmark_node* root) {
  cmark_node* heading = cmark_node_first_child(root);
  while (heading != nullptr && cmark_node_get_type(heading) != CMARK_NODE_HEADING)
    heading = cmark_node_next(heading);
  if (heading == nullptr) return;
  cmark_node* node = cmark_node_first_child(heading);
  while (node != nullptr && node != heading && title_length_ < title_.size()) {
    const cmark_node_type type = cmark_node_get_type(node);
    if (type == CMARK_NODE_TEXT || type == CMARK_NODE_CODE) add_to_title(cmark_node_get_literal(node));
    if (type == CMARK_NODE_SOFTBREAK || type == CMARK_NODE_LINEBREAK) add_to_title(" ");
    if (cmark_node* child = cmark_node_first_child(node); child != nullptr) {
      node = child;
      continue;
    }
    while (node != heading && cmark_node_next(node) == nullptr) node = cmark_node_parent(node);
    if (node != heading) node = cmark_node_next(node);
  }
}
