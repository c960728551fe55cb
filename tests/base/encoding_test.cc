// Encodings are told apart, and UTF-8 passes with or without its mark.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/base/encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace ccsched {
namespace {

using ::testing::HasSubstr;

template <size_t N>
std::string ErrorOf(const char (&bytes)[N]) {
  const std::string_view text(bytes, N - 1);
  return std::string(WithoutByteOrderMark(text, "f").status().message());
}

TEST(EncodingTest, Utf8PassesWithoutItsMark) {
  for (const std::string& text : {std::string(), std::string("a: 1"),
                                  std::string("é"), std::string(1, '\0')}) {
    EXPECT_EQ(WithoutByteOrderMark(text, "f").value(), text);
    const std::string marked = "\xef\xbb\xbf" + text;
    EXPECT_EQ(WithoutByteOrderMark(marked, "f").value(), text);
  }
}

TEST(EncodingTest, OthersAreNamedByTheirMark) {
  EXPECT_EQ(ErrorOf("\xff\xfe"
                    "a\0"),
            "f: it is in UTF-16, as its byte order mark says; save it as "
            "UTF-8");
  EXPECT_THAT(ErrorOf("\xff\xfe"), HasSubstr("UTF-16"));
  EXPECT_THAT(ErrorOf("\xfe\xff\0a"), HasSubstr("UTF-16"));
  EXPECT_THAT(ErrorOf("\xff\xfe\0\0a\0\0\0"), HasSubstr("UTF-32"));
  EXPECT_THAT(ErrorOf("\0\0\xfe\xff\0\0\0a"), HasSubstr("UTF-32"));
}

TEST(EncodingTest, OthersAreNamedByTheirZeroBytes) {
  EXPECT_EQ(ErrorOf("a\0b\0"),
            "f: it is in UTF-16, as its zero bytes look like; save it as "
            "UTF-8");
  EXPECT_THAT(ErrorOf("\0a\0b"), HasSubstr("UTF-16"));
  EXPECT_THAT(ErrorOf("a\0"), HasSubstr("UTF-16"));
  EXPECT_THAT(ErrorOf("a\0\0\0"), HasSubstr("UTF-32"));
  EXPECT_THAT(ErrorOf("\0\0\0a"), HasSubstr("UTF-32"));
}

TEST(EncodingTest, WhatIsCompressedIsNoText) {
  EXPECT_EQ(ErrorOf("\x1f\x8b\x08\0"),
            "f: it is compressed by gzip; unpack it (gunzip)");
}

}  // namespace
}  // namespace ccsched
