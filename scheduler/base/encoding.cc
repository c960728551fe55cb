// Tells encodings apart by the first four bytes.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/base/encoding.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "scheduler/base/strings.h"

namespace ccsched {
namespace {

// `bytes` may have zeros among them.
template <size_t N>
bool BeginsWith(std::string_view text, const char (&bytes)[N]) {
  return text.starts_with(std::string_view(bytes, N - 1));
}

// By the byte order mark; "" if there is none. That of UTF-32 begins with that
// of UTF-16, and is looked at first.
std::string_view MarkedAs(std::string_view text) {
  if (BeginsWith(text, "\0\0\xfe\xff")) return "UTF-32";
  if (BeginsWith(text, "\xff\xfe\0\0")) return "UTF-32";
  if (BeginsWith(text, "\xfe\xff")) return "UTF-16";
  if (BeginsWith(text, "\xff\xfe")) return "UTF-16";
  return {};
}

// By where the zero bytes of a first ASCII character stand; "" if nowhere.
std::string_view LooksLike(std::string_view text) {
  if (text.size() < 2) return {};
  const auto zero = [text](size_t i) {
    return i < text.size() && text[i] == '\0';
  };
  if (zero(0) && zero(1) && zero(2) && text.size() > 3) return "UTF-32";
  if (!zero(0) && zero(1) && zero(2) && zero(3)) return "UTF-32";
  return zero(0) != zero(1) ? "UTF-16" : "";
}

}  // namespace

absl::StatusOr<std::string_view> WithoutByteOrderMark(std::string_view text,
                                                      std::string_view file) {
  if (text.starts_with("\xef\xbb\xbf")) return text.substr(3);
  if (text.starts_with("\x1f\x8b")) {
    return absl::InvalidArgumentError(absl::StrCat(
        ToAbsl(file), ": it is compressed by gzip; unpack it (gunzip)"));
  }
  std::string_view encoding = MarkedAs(text);
  const bool marked = !encoding.empty();
  if (!marked) encoding = LooksLike(text);
  if (encoding.empty()) return text;
  return absl::InvalidArgumentError(
      absl::StrCat(ToAbsl(file), ": it is in ", ToAbsl(encoding), ", as its ",
                   marked ? "byte order mark says" : "zero bytes look like",
                   "; save it as UTF-8"));
}

}  // namespace ccsched
