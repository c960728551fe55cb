// The report: one self-contained page that holds its shape on any screen.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/e2e/shell.h"
#include "tests/sim/scenario_files.h"

namespace ccsched::testing {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class ReportTest : public ::testing::Test {
 protected:
  void SetUp() override { Write({"fcfs", "wait-awhile", "planner"}); }

  void Write(const std::vector<std::string>& policies,
             std::vector<std::string> set = {}) {
    const Ran ran = RunScenario(
        {.scenario = WriteSmallScenario(
             folder_, {.node_size = 8,
                       .suspendable = true,
                       .more = "faults: {node_mtbf: 100h, repair: 2h}\n"}),
         .policies = policies,
         .set = std::move(set),
         .bound = true,
         .report = folder_.path() + "/report.html"});
    ASSERT_TRUE(ran.ok) << ran.error;
    std::ifstream file(folder_.path() + "/report.html");
    std::ostringstream text;
    text << file.rdbuf();
    html_ = text.str();
  }

  // What the page is like in a frame of this width, as Chromium lays it out.
  std::string LaidOut(int width) {
    folder_.Write("frame.html", absl::StrCat(R"(<!doctype html><body><p id=out>
</p><iframe id=f style="border:0;height:900px;width:)",
                                             width, R"(px" src="report.html">
</iframe><script>f.onload = () => {
  const d = f.contentDocument;
  d.querySelectorAll('details').forEach(x => x.open = true);
  let outside = 0, texts = 0, covered = 0;
  const names = [...d.querySelectorAll('text.name')].map(
      t => t.getBoundingClientRect());
  names.forEach((a, i) => names.slice(i + 1).forEach(b => {
    if (a.left < b.right && b.left < a.right && a.top + 2 < b.bottom &&
        b.top + 2 < a.bottom) ++covered;
  }));
  for (const t of d.querySelectorAll('svg text')) {
    const s = t.ownerSVGElement.getBoundingClientRect();
    const b = t.getBoundingClientRect();
    ++texts;
    if (b.left < s.left - 1 || b.right > s.right + 1 || b.top < s.top - 1 ||
        b.bottom > s.bottom + 1) ++outside;
  }
  out.textContent = 'width=' + d.documentElement.scrollWidth + ' outside=' +
      outside + ' covered=' + covered + ' drawn=' + (texts > 20) + ' charts=' +
      d.querySelectorAll('svg').length + ';' + ' scrolled=' +
      [...d.querySelectorAll('.scroll')].filter(
          x => x.scrollWidth > x.clientWidth + 1).length + ';';
};</script>)"));
    return RunCommand(
               {"chromium", "--headless", "--no-sandbox", "--disable-gpu",
                "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update",
                "--disable-sync", "--hide-scrollbars",
                "--allow-file-access-from-files", "--virtual-time-budget=10000",
                absl::StrCat("--user-data-dir=", folder_.path(), "/profile"),
                "--dump-dom",
                absl::StrCat("file://", folder_.path(), "/frame.html")},
               folder_.path(), {})
        .out;
  }

  bool HasChromium() const {
    return RunCommand({"chromium", "--version"}, folder_.path(), {}).status ==
           0;
  }
  size_t Count(const std::string& text) const {
    size_t n = 0;
    for (size_t at = html_.find(text); at != std::string::npos;
         at = html_.find(text, at + 1)) {
      ++n;
    }
    return n;
  }

  const TemporaryFolder folder_;
  std::string html_;
};

TEST_F(ReportTest, NeedsNoNetworkAndNoScript) {
  EXPECT_THAT(html_, Not(ContainsRegex("(src|href)=")));
  EXPECT_THAT(html_, Not(HasSubstr("<script")));
  EXPECT_THAT(html_, Not(HasSubstr("url(")));
}

TEST_F(ReportTest, ShowsPoliciesSitesBoundAndReasons) {
  for (const char* text :
       {"fcfs", "wait-awhile", "planner", "at-gas", "at-wind", "at-solar",
        "above bound", "Capacity use", "and why", "at once it would have"}) {
    EXPECT_THAT(html_, HasSubstr(text));
  }
  EXPECT_THAT(html_, Not(ContainsRegex("[^a-z](nan|inf)[^a-z]")));
}

TEST_F(ReportTest, FitsDesktopsAndPhones) {
  if (!HasChromium()) GTEST_SKIP() << "there is no chromium here";
  for (const int width : {1280, 390}) {
    SCOPED_TRACE(width);
    EXPECT_THAT(
        LaidOut(width),
        HasSubstr(absl::StrCat("width=", width,
                               " outside=0 covered=0 drawn=true charts=11;")));
  }
}

// The figures stay in view beside a name that fills a line or two.
TEST_F(ReportTest, BreaksLongNames) {
  const std::string name = "Ein_langer_Name_ohne_Leerzeichen_der_kaum_passt";
  Write({}, {absl::StrCat("name=", name, name),
             absl::StrCat("policies=[fcfs, {name: planner, label: ", name,
                          "}, {name: planner, label: ", name, name, "}]")});
  if (!HasChromium()) GTEST_SKIP() << "there is no chromium here";
  for (const int width : {1280, 390}) {
    SCOPED_TRACE(width);
    const std::string page = LaidOut(width);
    EXPECT_THAT(page, HasSubstr(absl::StrCat("width=", width, " outside=0")));
    EXPECT_THAT(page, HasSubstr("scrolled=0;"));
  }
}

// More policies than sites: sites stand side by side, whatever they are called.
TEST_F(ReportTest, SitesFitASmallPhone) {
  Write({"fcfs", "easy-backfill", "lowest-carbon-now", "wait-awhile"},
        {"sites.at-gas.name=datacenter-virginia",
         "sites.at-wind.name=datacenter-frankfurt",
         "sites.at-solar.name=datacenter-california"});
  if (!HasChromium()) GTEST_SKIP() << "there is no chromium here";
  const std::string page = LaidOut(360);
  EXPECT_THAT(page, HasSubstr("width=360 outside=0"));
  EXPECT_THAT(page, HasSubstr("scrolled=0;"));
}

// Nothing is said of what one policy can't show: a comparison.
TEST_F(ReportTest, ComparesOnePolicyWithNothing) {
  Write({"planner"});
  for (const char* text : {"the least", "side by side", "vs fcfs",
                           "What waiting buys", "no other beats"}) {
    EXPECT_THAT(html_, Not(HasSubstr(text)));
  }
  EXPECT_THAT(html_, HasSubstr("How long jobs waited"));
}

TEST_F(ReportTest, TellsTwentyPoliciesApartByFewColoursAndByNumbers) {
  std::vector<std::string> policies = {"fcfs", "lowest-carbon-now"};
  for (int i = 0; i < 18; ++i) {
    policies.push_back(absl::StrCat("threshold:min_share=0.", 10 + i));
  }
  Write(policies);
  EXPECT_THAT(html_, HasSubstr("20 policies"));
  // Each that is grey goes by its number: side by side, by capacity, with its
  // charts and with its worst jobs.
  const size_t numbered = Count("class=\"num\"");
  EXPECT_EQ(numbered % 4, 0u);
  EXPECT_GE(numbered / 4, 20u - 8);
  EXPECT_LT(numbered / 4, 20u);
  EXPECT_EQ(Count(absl::StrCat("The other ", numbered / 4, " policies")), 2u);
  EXPECT_EQ(Count("class=\"dotname\""), numbered / 4);
  EXPECT_EQ(Count(">fcfs</span>"), 5u);  // in the key of the waits as well
  if (!HasChromium()) GTEST_SKIP() << "there is no chromium here";
  for (const int width : {1280, 390}) {
    SCOPED_TRACE(width);
    EXPECT_THAT(
        LaidOut(width),
        HasSubstr(absl::StrCat("width=", width,
                               " outside=0 covered=0 drawn=true charts=62;")));
  }
}

}  // namespace
}  // namespace ccsched::testing
