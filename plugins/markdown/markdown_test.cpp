#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <trivet/testing.hpp>
#include <vector>

#include "document.hpp"

namespace {

using Lines = std::vector<std::string>;

trivet::Ask markdown(std::vector<std::string> data) {
  return {.params = {{"REQUEST_METHOD", "GET"}},
          .data = std::move(data),
          .headers = {{"Content-Type", "text/markdown; charset=utf-8"}, {"Content-Length", "9"}}};
}

/// The body alone.
trivet::FakeHost& bare(trivet::FakeHost& host) { return host.set("page", "{{body}}"); }

TEST(Markdown, BecomesAPageHoweverItIsCut) {
  const std::string text = "# A & <b> *title*\n\nText with gr\xC3\xBC\xC3\x9F.\r\n\r\n* one\r* two\n";
  const std::string expected =
      "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>A &amp;  "
      "title</title>\n</head>\n<body>\n"
      "<h1>A &amp; <!-- raw HTML omitted --> <em>title</em></h1>\n<p>Text with gr\xC3\xBC\xC3\x9F.</p>\n"
      "<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n</body>\n</html>\n";
  trivet::FakeHost host;
  for (const auto& pieces : trivet::every_cut(text)) {
    const trivet::Answer answer = host.filter(markdown(pieces));
    ASSERT_EQ(answer.result, TRIVET_OK) << answer.failure;
    ASSERT_EQ(answer.body, expected);
    ASSERT_EQ(answer.header("Content-Type"), "text/html; charset=utf-8");
    ASSERT_EQ(answer.header("Content-Length"), std::nullopt);
  }
}

TEST(Markdown, ReadsLineBreaksWhereverTheyFall) {
  trivet::FakeHost host;
  bare(host);
  for (std::size_t length = 1; length < 200; ++length) {
    const std::string line(length, 'a');
    ASSERT_EQ(host.filter(markdown({line + "\r\nb\xC3\xA4\r\n\r\nc"})).body,
              "<p>" + line + "\nb\xC3\xA4</p>\n<p>c</p>\n");
  }
}

struct Example {
  const char* name;
  const char* setting;
  std::string text;
  std::string expected;
};
class MarkdownBody : public testing::TestWithParam<Example> {};

TEST_P(MarkdownBody, IsAsGitHubMakesIt) {
  trivet::FakeHost host;
  bare(host);
  if (*GetParam().setting != '\0') host.set(GetParam().setting, true);
  EXPECT_EQ(host.filter(markdown({GetParam().text})).body, GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Each, MarkdownBody,
    testing::Values(
        Example{"Table", "", "|a|b|\n|-|:-:|\n|1|2|\n",
                "<table>\n<thead>\n<tr>\n<th>a</th>\n<th "
                "align=\"center\">b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n"
                "<td>1</td>\n<td align=\"center\">2</td>\n</tr>\n</tbody>\n</table>\n"},
        Example{"Strikethrough", "", "~~a~~", "<p><del>a</del></p>\n"},
        Example{"Autolink", "", "www.example.org",
                "<p><a href=\"http://www.example.org\">www.example.org</a></p>\n"},
        Example{"Task", "", "- [x] a\n",
                "<ul>\n<li><input type=\"checkbox\" checked=\"\" disabled=\"\" /> a</li>\n</ul>\n"},
        Example{"Code", "", "```c\n<a>\n```\n", "<pre><code class=\"language-c\">&lt;a&gt;\n</code></pre>\n"},
        Example{"NoFootnotes", "", "a[^1]\n", "<p>a[^1]</p>\n"},
        Example{"Smart", "smart", "\"a\" -- b...",
                "<p>\xE2\x80\x9C"
                "a\xE2\x80\x9D \xE2\x80\x93 b\xE2\x80\xA6</p>\n"},
        Example{"HardBreaks", "hard_breaks", "a\nb", "<p>a<br />\nb</p>\n"},
        Example{"InvalidUtf8", "", "a\xFF\xC3(\xED\xA0\x80",
                "<p>a\xEF\xBF\xBD\xEF\xBF\xBD(\xEF\xBF\xBD</p>\n"},
        Example{"Nul", "", std::string("a\0b", 3),
                "<p>a\xEF\xBF\xBD"
                "b</p>\n"},
        Example{"Nothing", "", "", ""}, Example{"Unsafe", "unsafe", "<b>a</b>\n", "<p><b>a</b></p>\n"},
        Example{"UnsafeStillFiltersTags", "unsafe", "<script>a</script>\n", "&lt;script>a&lt;/script>\n"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(MarkdownSafety, LetsNoScriptThrough) {
  trivet::FakeHost host;
  bare(host);
  for (const char* text : {"<script>alert(1)</script>",
                           "a <script>alert(1)</script>",
                           "<img src=x onerror=alert(1)>",
                           "<b onclick=alert(1)>",
                           "[a](javascript:alert(1))",
                           "[a](JaVaScRiPt:alert(1))",
                           "[a](<javascript:alert(1)>)",
                           "[a](&#106;avascript:alert(1))",
                           "[a](vbscript:x)",
                           "[a](file:///etc/passwd)",
                           "[a](data:text/html,<script>alert(1)</script>)",
                           "<javascript:alert(1)>",
                           "[a]: javascript:alert(1)\n\n[a]",
                           "![a](javascript:alert(1))",
                           "[a](\"onmouseover=alert(1)\")",
                           "<svg/onload=alert(1)>",
                           "<!-- --!><script>x</script>-->",
                           "<?php x ?>",
                           "[a](x 'y\" onclick=\"alert(1)')",
                           "![\"><script>x</script>](y)",
                           "```\"><script>x</script>\nx\n```",
                           "| <script>x</script> |\n|-|\n"}) {
    const std::string body = host.filter(markdown({text})).body;
    EXPECT_EQ(body.find("<script"), std::string::npos) << text << "\n" << body;
    for (const char* bad :
         {"href=\"javascript", "href=\"JaVa", "href=\"vbscript", "href=\"file:", "href=\"data:text",
          "src=\"javascript", "<b on", "<img src=x", "\" on", "<svg", "<?"}) {
      EXPECT_EQ(body.find(bad), std::string::npos) << text << "\n" << body;
    }
  }
}

struct Titled {
  const char* name;
  std::string text;
  std::string title;
};
class MarkdownTitle : public testing::TestWithParam<Titled> {};

TEST_P(MarkdownTitle, IsTheTextOfTheFirstHeading) {
  trivet::FakeHost host;
  host.set("page", "[{{title}}|{{title}}|{{titel}}]{{body}}").set("title", "None & nothing");
  const trivet::Answer answer = host.filter(markdown({GetParam().text}));
  const std::string expected = "[" + GetParam().title + "|" + GetParam().title + "|{{titel}}]";
  EXPECT_EQ(answer.body.substr(0, expected.size()), expected);
}

INSTANTIATE_TEST_SUITE_P(
    Each, MarkdownTitle,
    testing::Values(Titled{"Plain", "# a b", "a b"}, Titled{"Later", "text\n\n## a\n\n# b", "a"},
                    Titled{"Setext", "a\nb\n===\n", "a b"},
                    Titled{"Nested", "# *a **b*** `<c>` [d](e) ![f](g)\n", "a b &lt;c&gt; d f"},
                    Titled{"Escaped", "# \"a\" & 'b' </title><script>\n", "&quot;a&quot; &amp; &#39;b&#39; "},
                    Titled{"None", "text", "None &amp; nothing"},
                    Titled{"Empty", "#\n\ntext", "None &amp; nothing"},
                    Titled{"Placeholders", "# {{body}}\n", "{{body}}"},
                    Titled{"Long", "# " + std::string(1023, 'a') + "\xC3\xA4\n", std::string(1023, 'a')}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(MarkdownPage, ComesFromAFile) {
  char path[] = "/tmp/trivet-markdown-XXXXXX";
  const int made = ::mkstemp(path);
  ASSERT_GE(made, 0);
  ::close(made);
  std::ofstream(path) << "<h>{{title}}</h>{{body}}<hr>{{body}}";
  trivet::FakeHost host;
  host.set("page_file", path);
  EXPECT_EQ(host.filter(markdown({"# a"})).body, "<h>a</h><h1>a</h1>\n<hr><h1>a</h1>\n");
  std::ofstream(path) << std::string((1 << 20) + 1, 'x');
  trivet::FakeHost large;
  large.set("page_file", path);
  EXPECT_FALSE(large.start());
  EXPECT_EQ(large.errors(), Lines{"page_file: has more than 1048576 bytes: " + std::string(path)});
  ::unlink(path);
}

TEST(MarkdownLeavesAlone, WhatIsNoMarkdown) {
  trivet::FakeHost host;
  struct Case {
    const char* type;
    unsigned status;
    const char* encoding;
  };
  for (const Case& each :
       {Case{"text/html", 200, ""}, Case{"text/plain", 200, ""}, Case{"text/markdownish", 200, ""},
        Case{"text/markdown", 206, ""}, Case{"text/markdown", 304, ""}, Case{"text/markdown", 200, "gzip"}}) {
    trivet::Ask ask = markdown({"# a", "b"});
    ask.status = each.status;
    ask.headers = {{"Content-Type", each.type}, {"Content-Length", "4"}};
    if (*each.encoding != '\0') ask.headers.emplace_back("Content-Encoding", each.encoding);
    const auto before = ask.headers;
    const trivet::Answer answer = host.filter(ask);
    EXPECT_EQ(answer.headers, before);
    EXPECT_TRUE(answer.passed);
    EXPECT_EQ(answer.body, "# ab");
  }
}

TEST(MarkdownHead, HasTheTypeOfThePageAndNoBytes) {
  trivet::FakeHost host;
  trivet::Ask ask = markdown({});
  ask.params["REQUEST_METHOD"] = "HEAD";
  const trivet::Answer answer = host.filter(ask);
  EXPECT_EQ(answer.header("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(answer.header("Content-Length"), std::nullopt);
  EXPECT_EQ(answer.body, "");
}

TEST(MarkdownBounds, FailADocumentThatIsTooLarge) {
  trivet::FakeHost host;
  host.set("max_bytes", 100);
  EXPECT_EQ(host.filter(markdown({std::string(60, 'a'), std::string(40, 'a')})).result, TRIVET_OK);
  const trivet::Answer answer = host.filter(markdown({std::string(60, 'a'), std::string(41, 'a')}));
  EXPECT_EQ(answer.result, TRIVET_E_FAILED);
  EXPECT_EQ(answer.failure, "the document is larger than max_bytes, which is 100");
  EXPECT_EQ(answer.body, "");
}

std::string repeated(std::string_view text, std::size_t size) {
  std::string all;
  while (all.size() < size) all += text;
  return all;
}

/// Becomes gigabytes: each short row is filled up to the width of the head.
std::string wide_table(std::size_t size) {
  return repeated("x|", size / 4) + "\n" + repeated("-|", size / 4) + "\n" + repeated("x\n", size / 2);
}

TEST(MarkdownBounds, FailADocumentThatNeedsTooMuchMemory) {
  trivet::FakeHost host;
  host.set("max_memory", 8 << 20);
  for (const std::string& text :
       {wide_table(30000), "[a]: " + repeated("x", 50000) + "\n\n" + repeated("[a]", 50000),
        repeated("*a* ", 60000)}) {
    const trivet::Answer answer = host.filter(markdown({text}));
    EXPECT_EQ(answer.result, TRIVET_E_FAILED);
    EXPECT_EQ(answer.failure, "the document takes more than max_memory, which is 8388608");
    EXPECT_EQ(answer.body, "");
  }
  EXPECT_EQ(host.filter(markdown({"~~a~~"})).result, TRIVET_OK) << "and the next is read as ever";
}

TEST(MarkdownBounds, HoldForNestingAndForWhatIsSlowElsewhere) {
  trivet::FakeHost host;
  for (const std::string& text :
       {repeated("> ", 50000) + "a", repeated("- ", 50000) + "a", repeated("[", 50000),
        repeated("![](", 50000), repeated("*a **a ", 50000), repeated("a**b", 50000) + repeated("c* ", 50000),
        repeated("`a``", 50000), repeated("<", 50000), repeated("&", 50000), repeated("\\", 50000),
        std::string(50000, '\0'), repeated("\xFF", 50000), repeated("\r", 50000), repeated("<a:", 50000),
        repeated("~~a**b", 50000)}) {
    const auto started = std::chrono::steady_clock::now();
    EXPECT_EQ(host.filter(markdown({text})).result, TRIVET_OK) << text.substr(0, 20);
    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(10)) << text.substr(0, 20);
  }
}

TEST(MarkdownBounds, LeaveLinksOutThatWouldTakeMinutesToFind) {
  trivet::FakeHost host;
  const std::string slow = "http://a.example/" + repeated(")", 200000);
  const auto started = std::chrono::steady_clock::now();
  const trivet::Answer answer = host.filter(markdown({slow}));
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(10));
  EXPECT_EQ(answer.result, TRIVET_OK);
  EXPECT_EQ(answer.log, Lines{"markdown: links without markup were not looked for: the words are too long"});
  EXPECT_NE(answer.body.find("<p>http://a.example/)"), std::string::npos);
  EXPECT_TRUE(
      host.filter(markdown({repeated("see http://a.example/(b) or a@b.example ", 100000)})).log.empty());
}

bool not_after(void* asker) noexcept {
  return std::chrono::steady_clock::now() < *static_cast<std::chrono::steady_clock::time_point*>(asker);
}

TEST(Document, IsLeftInTheMiddleWhenNobodyWaitsForIt) {
  const Dialect dialect({"table", "autolink", "strikethrough"}, {});
  for (const std::string& text :
       {repeated("* ", 300000) + "a\n" + repeated("\n", 300000), repeated("a<?", 500000),
        repeated(">", 300000) + "a\n" + repeated("b\n", 300000), wide_table(500000), repeated("|-\n", 500000),
        repeated("a<![CDATA[", 500000)}) {
    auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
    const auto started = std::chrono::steady_clock::now();
    const Document document(dialect, text, 512U << 20U, &not_after, &until);
    EXPECT_NE(document.end(), DocumentMemory::End::done) << text.substr(0, 20);
    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(3)) << text.substr(0, 20);
  }
}

bool always(void* /*asker*/) noexcept { return true; }

TEST(Document, IsTheSameInManyThreadsAtOnce) {
  const Dialect dialect({"table", "autolink", "strikethrough"}, {});
  const std::string text = repeated("~~a~~ www.a.example *b* ", 20000);
  const std::string expected(Document(dialect, text, 64U << 20U, &always, nullptr).html());
  ASSERT_NE(expected.find("<del>a</del> <a href"), std::string::npos);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 30; ++round)
        wrong += Document(dialect, text, 64U << 20U, &always, nullptr).html() == expected ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
}

TEST(MarkdownSettings, AreCheckedWithTheirPlace) {
  const auto errors = [](const std::function<void(trivet::FakeHost&)>& set) {
    trivet::FakeHost host;
    set(host);
    EXPECT_FALSE(host.start());
    return host.errors();
  };
  EXPECT_EQ(errors([](auto& host) { host.set("page", "no place"); }), Lines{"page: has no {{body}}"});
  EXPECT_EQ(errors([](auto& host) { host.set("page", "{{body}}").set("page_file", "/x"); }),
            Lines{"page_file: is there beside page: only one can be"});
  EXPECT_EQ(errors([](auto& host) { host.set("page_file", "page.html"); }),
            Lines{"page_file: has to be an absolute path"});
  EXPECT_EQ(errors([](auto& host) { host.set("page_file", "/nowhere/page.html"); }),
            Lines{"page_file: cannot be read: /nowhere/page.html"});
  EXPECT_EQ(errors([](auto& host) { host.set("page_file", "/etc"); }),
            Lines{"page_file: cannot be read: /etc"});
  EXPECT_EQ(errors([](auto& host) { host.set("extensions.0", "tables"); }),
            Lines{"extensions.0: has to be one of table, strikethrough, autolink, tasklist, tagfilter"});
  EXPECT_EQ(errors([](auto& host) { host.set("max_bytes", 0); }),
            Lines{"max_bytes: has to be between 1 and 67108864"});
  EXPECT_EQ(errors([](auto& host) { host.set("max_memory", 1); }),
            Lines{"max_memory: has to be between 1048576 and 536870912"});
}

TEST(MarkdownExtensions, AreThoseOfTheSettings) {
  trivet::FakeHost host;
  bare(host).set("extensions.0", "table");
  EXPECT_EQ(host.filter(markdown({"~~a~~ www.a.example"})).body, "<p>~~a~~ www.a.example</p>\n");
}

}  // namespace
