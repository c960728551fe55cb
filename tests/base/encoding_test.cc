// Encodings are told apart, and UTF-8 passes with or without its mark.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/base/encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace ccsched {
namespace {

using ::testing::HasSubstr;
using std::string_view_literals::operator""sv;

std::string ErrorOf(std::string_view text) {
  return std::string(WithoutByteOrderMark(text, "f").status().message());
}

TEST(EncodingTest, Utf8PassesWithoutItsMark) {
  for (const std::string_view text : {""sv, "a"sv, "a: 1"sv, "é"sv, "\0"sv}) {
    EXPECT_EQ(WithoutByteOrderMark(text, "f").value(), text);
    const std::string marked = "\xef\xbb\xbf" + std::string(text);
    EXPECT_EQ(WithoutByteOrderMark(marked, "f").value(), text);
  }
}

TEST(EncodingTest, OthersAreNamedByTheirMark) {
  EXPECT_EQ(ErrorOf("\xff\xfe"
                    "a\0"sv),
            "f: it is in UTF-16, as its byte order mark says; save it as "
            "UTF-8");
  EXPECT_THAT(ErrorOf("\xff\xfe"sv), HasSubstr("UTF-16"));
  EXPECT_THAT(ErrorOf("\xfe\xff\0a"sv), HasSubstr("UTF-16"));
  EXPECT_THAT(ErrorOf("\xff\xfe\0\0a\0\0\0"sv), HasSubstr("UTF-32"));
  EXPECT_THAT(ErrorOf("\0\0\xfe\xff\0\0\0a"sv), HasSubstr("UTF-32"));
}

TEST(EncodingTest, OthersAreNamedByTheirZeroBytes) {
  EXPECT_EQ(ErrorOf("a\0b\0"sv),
            "f: it is in UTF-16, as its zero bytes look like; save it as "
            "UTF-8");
  EXPECT_THAT(ErrorOf("\0a\0b"sv), HasSubstr("UTF-16"));
  EXPECT_THAT(ErrorOf("a\0"sv), HasSubstr("UTF-16"));
  EXPECT_THAT(ErrorOf("a\0\0\0"sv), HasSubstr("UTF-32"));
  EXPECT_THAT(ErrorOf("\0\0\0a"sv), HasSubstr("UTF-32"));
}

}  // namespace
}  // namespace ccsched
