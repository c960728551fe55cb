// Tables and lines of CSV.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/wire/table.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "scheduler/wire/text.h"

namespace ccsched {
namespace {

std::string Printed(const Table& table, bool colour = false) {
  std::ostringstream out;
  table.Print(out, colour);
  return out.str();
}

TEST(TableTest, AlignsColumnsWithoutTrailingBlanks) {
  Table table({{"JOB", Align::kRight}, {"NAME"}, {"NOTE"}});
  table.Add({"7", "train", ""});
  table.Add({"12345", "x", "late"});
  EXPECT_EQ(Printed(table),
            "  JOB  NAME   NOTE\n"
            "    7  train\n"
            "12345  x      late\n");
}

TEST(TableTest, MeasuresWhatATerminalShows) {
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("Malmö"), 5);
  EXPECT_EQ(DisplayWidth("東京"), 4);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1);
  EXPECT_EQ(DisplayWidth("█▏"), 2);
  EXPECT_EQ(DisplayWidth("🌱"), 2);
  Table table({{"SITE"}, {"N"}});
  table.Add({"東京", "1"});
  table.Add({"Malmö", "2"});
  EXPECT_EQ(Printed(table), "SITE   N\n東京   1\nMalmö  2\n");
}

TEST(TableTest, ColourDoesNotShiftColumns) {
  Table table({{"A"}, {"B"}});
  table.Add({{"x", Style::kGreen}, "y"});
  EXPECT_EQ(Printed(table, true),
            "\x1b[1mA\x1b[0m  \x1b[1mB\x1b[0m\n\x1b[32mx\x1b[0m  y\n");
}

TEST(TableTest, ShowsControlCharactersHarmlessly) {
  Table table({{"A"}});
  table.Add({"a\x1b]0;b\nc"});
  EXPECT_EQ(Printed(table), "A\na\\x1b]0;b\\x0ac\n");
}

// On a terminal; elsewhere all is there, as wide as it gets.
TEST(TableTest, LinesStayLinesWhereAllElseIsMadeHarmless) {
  const std::string lines = "a,b\n\x1b[2J,c\r\n\nd";
  EXPECT_EQ(LinesFor(true, lines), "a,b\n\\x1b[2J,c\\x0d\n\nd");
  EXPECT_EQ(LinesFor(false, lines), lines);
  EXPECT_EQ(LinesFor(true, ""), "");
}

TEST(TableTest, LeavesOutSpareColumnsWhereThereIsNoRoom) {
  Table table({{"JOB", Align::kRight},
               {"NAME"},
               {"EMPTY", Align::kLeft, 1},
               {"USER", Align::kLeft, 3},
               {"CO2E", Align::kRight, 2}});
  table.Add(
      {"7", "a name that is longer than thirty columns", "-", "ada", "5"});
  const auto fitted = [&table](size_t width, std::vector<std::string>* out) {
    std::ostringstream text;
    *out = table.Print(text, false, width);
    return text.str();
  };
  std::vector<std::string> left_out;
  EXPECT_EQ(fitted(100, &left_out), Printed(table));
  EXPECT_TRUE(left_out.empty());
  // What says nothing goes first and without a word, then long texts are cut.
  EXPECT_EQ(fitted(54, &left_out),
            "JOB  NAME                                   USER  CO2E\n"
            "  7  a name that is longer than thirty co…  ada      5\n");
  EXPECT_TRUE(left_out.empty());
  EXPECT_EQ(fitted(35, &left_out),
            "JOB  NAME                  CO2E\n"
            "  7  a name that is long…     5\n");
  EXPECT_EQ(left_out, std::vector<std::string>{"USER"});
  EXPECT_EQ(fitted(20, &left_out), "JOB  NAME\n  7  a name that is…\n");
  EXPECT_EQ(left_out, (std::vector<std::string>{"USER", "CO2E"}));
}

TEST(TableTest, SaysNamesInFewerLettersBeforeAnythingIsLeftOut) {
  Table table({{"policy", Align::kLeft, 0, Excess::kKeep},
               {"CO2e", Align::kRight},
               {"saved vs fcfs", Align::kRight, 1, Excess::kCut, "saved"},
               {"p99", Align::kRight, 2}});
  table.Add({"planner with a long label", "1 t", "5 %", "2 h"});
  const auto fitted = [&table](size_t width) {
    std::ostringstream text;
    table.Print(text, false, width);
    return text.str();
  };
  EXPECT_EQ(fitted(51), Printed(table));
  EXPECT_EQ(fitted(50),
            "policy                     CO2e  saved  p99\n"
            "planner with a long label   1 t    5 %  2 h\n");
  EXPECT_EQ(fitted(30),
            "policy                     CO2e\n"
            "planner with a long label   1 t\n");
}

TEST(TableTest, WrapsTextsThatAreToBeRead) {
  Table table({{"NAME"}, {"WHAT", Align::kLeft, 0, Excess::kWrap}, {"N"}});
  table.Add({"a", "what it does, in some words", "1"});
  table.Add({"b", "short", "2"});
  EXPECT_EQ(Printed(table),
            "NAME  WHAT                         N\n"
            "a     what it does, in some words  1\n"
            "b     short                        2\n");
  std::ostringstream text;
  EXPECT_TRUE(table.Print(text, false, 24).empty());
  EXPECT_EQ(text.str(),
            "NAME  WHAT             N\n"
            "a     what it does,    1\n"
            "      in some words\n"
            "b     short            2\n");
}

TEST(TableTest, WrapsAtBlanksAndWithinLongWordsOnly) {
  using Lines = std::vector<std::string>;
  EXPECT_EQ(WrapToWidth("a bb ccc", 4), (Lines{"a bb", "ccc"}));
  EXPECT_EQ(WrapToWidth("abcdefgh ij", 3), (Lines{"abc", "def", "gh", "ij"}));
  EXPECT_EQ(WrapToWidth("東京都庁", 3), (Lines{"東", "京", "都", "庁"}));
  EXPECT_EQ(WrapToWidth("", 3), Lines{""});
  EXPECT_EQ(WrapToWidth("a   b", 3), Lines{"a b"});
}

TEST(TableTest, CutsTextsBetweenCharacters) {
  EXPECT_EQ(CutToWidth("Malmö", 5), "Malmö");
  EXPECT_EQ(CutToWidth("Malmöhus", 6), "Malmö…");
  EXPECT_EQ(CutToWidth("東京都庁", 6), "東京…");
  EXPECT_EQ(CutToWidth("abc", 1), "…");
  EXPECT_EQ(CutToWidth("abc", 0), "");
}

}  // namespace
}  // namespace ccsched
