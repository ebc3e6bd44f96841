#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace trivet::base {

/// Copies of the names of a list, for whoever reads the next one to compare with: lists that follow each
/// other begin alike more often than not (what a web server adds to each request, before what its clients
/// send).
///
/// Thread  One at a time.
/// Memory  Nothing in steady state: what was grown is kept; at most 96 names, in 10 KiB.
class KeptNames {
 public:
  /// As words, which overlap, if it has 4 to 32 bytes: two at its ends, and two more beside these.
  class Name {
   public:
    /// Whether it has words and is this one.
    [[nodiscard]] bool is(std::string_view name) const noexcept {
      const std::size_t size = name.size();
      const char* const at = name.data();
      const char* const end = at + size;
      const auto ends_are = [&]<class Word>(Word) {
        return word<Word>(at) == first_ && word<Word>(end - sizeof(Word)) == last_;
      };
      if (size == usual_size_) [[likely]]
        return ends_are(Long{});
      if (size != size_ || !has_words()) return false;
      if (size < sizeof(Long)) return ends_are(Short{});
      return ends_are(Long{}) && word<Long>(at + sizeof(Long)) == second_ &&
             word<Long>(end - 2 * sizeof(Long)) == last_but_one_;
    }

   private:
    friend KeptNames;

    using Long = std::uint64_t;
    using Short = std::uint32_t;

    template <class Word>
    [[nodiscard]] static Word word(const char* at) noexcept {
      Word read = 0;
      std::memcpy(&read, at, sizeof read);
      return read;
    }

    [[nodiscard]] bool has_words() const noexcept {
      return size_ >= sizeof(Short) && size_ <= 4 * sizeof(Long);
    }

    Long first_, last_;
    Long second_, last_but_one_;  ///< Of one that is longer than its ends.
    std::size_t usual_size_;      ///< Of one whose ends are two long words; of any other the size of none.
    std::uint32_t size_;
    std::uint32_t text_;  ///< Where in texts_, if it has no words.
  };

  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  [[nodiscard]] const Name* data() const noexcept { return names_.data(); }
  [[nodiscard]] bool is(std::uint32_t number, std::string_view name) const noexcept;

  void truncate(std::uint32_t size) noexcept {
    if (size >= size_) return;
    texts_used_ = names_[size].text_;
    size_ = size;
  }
  /// False where there is no room for it.
  [[nodiscard]] bool add(std::string_view name);

 private:
  std::vector<Name> names_;  ///< The first size_ are in use.
  std::uint32_t size_ = 0;
  std::vector<char> texts_;  ///< The first texts_used_ are in use.
  std::uint32_t texts_used_ = 0;
};

}  // namespace trivet::base
