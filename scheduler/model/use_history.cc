// How busy an attempt was over its time, in a few dozen characters.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/model/use_history.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ccsched {
namespace {

constexpr unsigned kUnknown = 9;
constexpr char kUnknownMark = '.';
// Below it an accelerator does nothing that anybody wants.
constexpr double kIdleBelow = 0.02;

}  // namespace

void UseHistory::Halve() {
  for (size_t i = 0; i < steps_.size(); i += 2) {
    Step sum = steps_[i];
    if (i + 1 < steps_.size()) {
      sum.busy_s += steps_[i + 1].busy_s;
      sum.known_s += steps_[i + 1].known_s;
    }
    steps_[i / 2] = sum;
  }
  steps_.resize((steps_.size() + 1) / 2);
  step_ *= 2;
}

void UseHistory::Add(absl::Duration from, absl::Duration to, double use,
                     bool accelerators) {
  if (accelerators != accelerators_) {
    if (accelerators_) return;
    steps_.clear();
    step_ = kStepMin;
    accelerators_ = true;
  }
  if (!(from < to) || to > absl::Hours(24 * 3650) || !std::isfinite(use)) {
    return;
  }
  while (to > step_ * static_cast<double>(kStepsMax)) Halve();
  use = std::clamp(use, 0.0, 1.0);
  for (absl::Duration at = from; at < to;) {
    const auto i = static_cast<size_t>(absl::FDivDuration(at, step_) + 1e-9);
    const absl::Duration end = std::min(to, step_ * static_cast<double>(i + 1));
    if (end <= at) return;
    if (i >= steps_.size()) steps_.resize(i + 1);
    const double seconds = absl::ToDoubleSeconds(end - at);
    steps_[i].busy_s += use * seconds;
    steps_[i].known_s += seconds;
    at = end;
  }
}

std::vector<unsigned> UseHistory::Levels() const {
  std::vector<unsigned> levels;
  for (const Step& step : steps_) {
    if (step.known_s <= 0) {
      levels.push_back(kUnknown);
      continue;
    }
    const double use = step.busy_s / step.known_s;
    // Only what is idle is at level 0.
    levels.push_back(use < kIdleBelow
                         ? 0
                         : std::clamp<unsigned>(std::lround(use * 8), 1, 8));
  }
  return levels;
}

absl::Duration UseHistory::Idle() const {
  const std::vector<unsigned> levels = Levels();
  absl::Duration idle;
  for (size_t i = levels.size(); i > 0 && levels[i - 1] == 0; --i) {
    idle += absl::Seconds(steps_[i - 1].known_s);
  }
  return idle;
}

std::string UseHistory::Text() const {
  if (steps_.empty()) return "";
  std::string text =
      absl::StrCat(accelerators_ ? "a" : "p", absl::ToInt64Seconds(step_), " ");
  for (const unsigned level : Levels()) {
    text.push_back(level == kUnknown ? kUnknownMark
                                     : static_cast<char>('0' + level));
  }
  return text;
}

UseHistory UseHistory::FromText(std::string_view text) {
  UseHistory history;
  if (text.size() < 3 || (text[0] != 'a' && text[0] != 'p')) return history;
  const size_t blank = text.find(' ');
  int64_t seconds = 0;
  if (blank == std::string_view::npos ||
      std::from_chars(text.data() + 1, text.data() + blank, seconds).ptr !=
          text.data() + blank ||
      seconds < 60 || text.size() - blank - 1 > kStepsMax) {
    return history;
  }
  history.accelerators_ = text[0] == 'a';
  history.step_ = absl::Seconds(seconds);
  for (const char c : text.substr(blank + 1)) {
    Step step;
    if (c >= '0' && c <= '8') {
      step.known_s = static_cast<double>(seconds);
      step.busy_s = step.known_s * (c - '0') / 8;
    }
    history.steps_.push_back(step);
  }
  return history;
}

}  // namespace ccsched
