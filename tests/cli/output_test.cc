// JSON, CSV and charts.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/cli/output.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "scheduler/cli/chart.h"

namespace ccsched {
namespace {

TEST(JsonTest, EscapesTextAndKeepsNumbersExact) {
  EXPECT_EQ(JsonString("a\"b\\c\nd\x01ü"), "\"a\\\"b\\\\c\\nd\\u0001ü\"");
  EXPECT_EQ(JsonString("\xff"), "\"\\\\xff\"");
  EXPECT_EQ(JsonString("a\u009b2J\u00a0"), "\"a\\u009b2J\u00a0\"");
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
  Context context(csv, csv);
  PrintCsv(context, r, {r});
  EXPECT_EQ(csv.str(),
            "id,co2e_g,energy_kwh,sites,start,runtime_s,estimated\n"
            "18446744073709551615,,1.5,a b,1970-01-01T00:00:00Z,,true\n");
}

// A name of a user's making, as a program gets it and as a terminal does.
TEST(RecordTest, CsvSteersNoTerminalAndRunsInNoSpreadsheet) {
  Record r;
  r.Add("name", "a\x1b[2J");
  r.Add("project", "=cmd|' /C calc'!A0");
  r.Add("change_g", -1.5);
  std::ostringstream csv;
  Context context(csv, csv);
  PrintCsv(context, r, {r});
  EXPECT_EQ(csv.str(),
            "name,project,change_g\na\x1b[2J,'=cmd|' /C calc'!A0,-1.5\n");
  csv.str("");
  context.out_terminal = true;
  PrintCsv(context, r, {r});
  EXPECT_EQ(csv.str(),
            "name,project,change_g\na\\x1b[2J,'=cmd|' /C calc'!A0,-1.5\n");
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
