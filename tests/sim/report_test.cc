// The report: one self-contained page that holds its shape on any screen.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

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
  void SetUp() override {
    const Ran ran = RunScenario(
        {.scenario = WriteSmallScenario(
             folder_, {.node_size = 8,
                       .suspendable = true,
                       .more = "faults: {node_mtbf: 100h, repair: 2h}\n"}),
         .policies = {"fcfs", "wait-awhile", "planner"},
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
  let outside = 0, texts = 0;
  for (const t of d.querySelectorAll('svg text')) {
    const s = t.ownerSVGElement.getBoundingClientRect();
    const b = t.getBoundingClientRect();
    ++texts;
    if (b.left < s.left - 1 || b.right > s.right + 1 || b.top < s.top - 1 ||
        b.bottom > s.bottom + 1) ++outside;
  }
  out.textContent = 'width=' + d.documentElement.scrollWidth + ' outside=' +
      outside + ' drawn=' + (texts > 20) + ' charts=' +
      d.querySelectorAll('svg').length + ';';
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
  if (RunCommand({"chromium", "--version"}, folder_.path(), {}).status != 0) {
    GTEST_SKIP() << "there is no chromium here";
  }
  for (const int width : {1280, 390}) {
    SCOPED_TRACE(width);
    EXPECT_THAT(LaidOut(width),
                HasSubstr(absl::StrCat("width=", width,
                                       " outside=0 drawn=true charts=11;")));
  }
}

}  // namespace
}  // namespace ccsched::testing
