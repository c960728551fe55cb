// CSV that reads back, and that no spreadsheet runs.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/base/csv.h"

#include <gtest/gtest.h>

#include <string>

namespace ccsched {
namespace {

TEST(CsvTest, QuotesWhatNeedsIt) {
  EXPECT_EQ(CsvLine({"a", "b,c", "d\"e", "f\ng", ""}),
            "a,\"b,c\",\"d\"\"e\",\"f\ng\",\n");
  EXPECT_EQ(CsvLine({"", ""}), ",\n");
}

TEST(CsvTest, FormulasAreTexts) {
  for (const std::string begins : {"=", "+", "-", "@", "\t", "\r"}) {
    EXPECT_EQ(CsvSafeText(begins + "1+A1"), "'" + begins + "1+A1");
  }
  EXPECT_EQ(CsvLine({"=HYPERLINK(\"x\")"}), "\"'=HYPERLINK(\"\"x\"\")\"\n");
}

TEST(CsvTest, NumbersStayNumbersAndOtherTextsAsTheyAre) {
  for (const char* text :
       {"-1", "+2.5", "-1e-7", "-0.25", "1=1", "a@b", "", "-", "2-3", "'x"}) {
    EXPECT_EQ(CsvSafeText(text), text);
  }
}

TEST(CsvTest, ListsColumnsWithoutEndWhereTheFileIsNoTable) {
  EXPECT_EQ(ColumnsText({"a", "b c", ""}), "a, b c, ");
  EXPECT_EQ(ColumnsText({}), "");
  EXPECT_EQ(ColumnsText({"a;b;c"}),
            "a;b;c (fields have to be separated by commas)");
  EXPECT_EQ(ColumnsText({"a", std::string(5000, 'x')}),
            "a, " + std::string(297, 'x') + "...");
}

}  // namespace
}  // namespace ccsched
