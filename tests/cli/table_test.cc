// Tables, CSV, JSON and charts.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "scheduler/cli/chart.h"
#include "scheduler/cli/output.h"

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

TEST(TableTest, CutsTextsBetweenCharacters) {
  EXPECT_EQ(CutToWidth("Malmö", 5), "Malmö");
  EXPECT_EQ(CutToWidth("Malmöhus", 6), "Malmö…");
  EXPECT_EQ(CutToWidth("東京都庁", 6), "東京…");
  EXPECT_EQ(CutToWidth("abc", 1), "…");
  EXPECT_EQ(CutToWidth("abc", 0), "");
}

TEST(CsvTest, QuotesWhatNeedsIt) {
  EXPECT_EQ(CsvLine({"a", "b,c", "d\"e", "f\ng", ""}),
            "a,\"b,c\",\"d\"\"e\",\"f\ng\",\n");
}

TEST(JsonTest, EscapesTextAndKeepsNumbersExact) {
  EXPECT_EQ(JsonString("a\"b\\c\nd\x01ü"), "\"a\\\"b\\\\c\\nd\\u0001ü\"");
  EXPECT_EQ(JsonString("\xff"), "\"\\\\xff\"");
  EXPECT_EQ(JsonNumber(0.1), "0.1");
  EXPECT_EQ(std::stod(JsonNumber(1.0 / 3)), 1.0 / 3);
  EXPECT_EQ(JsonNumber(std::nan("")), "null");
  EXPECT_EQ(JsonNumber(std::numeric_limits<double>::infinity()), "null");
}

TEST(RecordTest, UnknownIsNullInJsonAndEmptyInCsv) {
  Record r;
  r.Add("id", uint64_t{18446744073709551615u});
  r.Add("co2e_g", std::optional<double>());
  r.Add("energy_kwh", std::optional(1.5));
  r.AddList("sites", std::vector<std::string>{"a", "b"});
  r.AddTime("start", true, google::protobuf::Timestamp());
  r.AddSeconds("runtime_s", false, google::protobuf::Duration());
  r.Add("estimated", true);
  std::ostringstream json, csv;
  PrintJson(json, "thing", {}, "list", {r});
  EXPECT_EQ(json.str(),
            "{\"schema\":\"ccsched.thing/v1\",\"list\":[{\"id\":"
            "18446744073709551615,\"co2e_g\":null,\"energy_kwh\":1.5,"
            "\"sites\":[\"a\",\"b\"],\"start\":\"1970-01-01T00:00:00Z\","
            "\"runtime_s\":null,\"estimated\":true}]}\n");
  PrintCsv(csv, r, {r});
  EXPECT_EQ(csv.str(),
            "id,co2e_g,energy_kwh,sites,start,runtime_s,estimated\n"
            "18446744073709551615,,1.5,a b,1970-01-01T00:00:00Z,,true\n");
}

TEST(RecordTest, AnEmptyListIsStillADocument) {
  std::ostringstream json;
  PrintJson(json, "jobs", {}, "jobs", {});
  EXPECT_EQ(json.str(), "{\"schema\":\"ccsched.jobs/v1\",\"jobs\":[]}\n");
}

TEST(ChartTest, ScalesFromLeastToMost) {
  EXPECT_EQ(Sparkline({0, 50, 100}, 10), "▁▅█");
  EXPECT_EQ(Sparkline({5, 5}, 10), "▁▁");
  EXPECT_EQ(Sparkline({0, 0, 100, 100}, 2), "▁█");
  EXPECT_EQ(Sparkline({0, std::nan(""), 1}, 3), "▁ █");
  EXPECT_EQ(Sparkline({}, 10), "");
  EXPECT_EQ(Bar(50, 100, 4), "██");
  EXPECT_EQ(Bar(100, 100, 2), "██");
  EXPECT_EQ(Bar(1, 16, 2), "▏");
  EXPECT_EQ(Bar(-1, 100, 4), "");
  EXPECT_EQ(Bar(1, 0, 4), "");
}

}  // namespace
}  // namespace ccsched
