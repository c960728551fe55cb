// Other choices for a training run, and the factor that each would bring.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/what_if.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "scheduler/base/status.h"

namespace ccsched {
namespace {

bool Contains(const std::string& text, const std::string& part) {
  return absl::StrContains(absl::AsciiStrToLower(text),
                           absl::AsciiStrToLower(part));
}
bool Same(const std::string& a, const std::string& b) {
  return absl::EqualsIgnoreCase(a, b);
}

// Collects the changes, each applied to the outcome of the last.
class Steps {
 public:
  explicit Steps(const TrainingRun& base)
      : run_(base), result_(Footprint(base)) {}

  const TrainingRun& run() const { return run_; }

  // Errors: InvalidArgument if the run is no longer sound.
  absl::Status Apply(std::string what, TrainingRun next) {
    RETURN_IF_ERROR(CheckRun(next));
    const FootprintResult result = Footprint(next);
    Change c;
    c.what = std::move(what);
    c.result = result;
    c.energy_factor = result_.energy / result.energy;
    c.gross_factor = result_.gross / result.gross;
    c.net_factor = result_.net / result.net;
    c.run = next;
    run_ = std::move(next);
    result_ = result;
    changes_.push_back(std::move(c));
    return absl::OkStatus();
  }

  std::vector<Change> Take() { return std::move(changes_); }

 private:
  TrainingRun run_;
  FootprintResult result_;
  std::vector<Change> changes_;
};

absl::Status ApplyPue(Steps* steps, double pue) {
  TrainingRun next = steps->run();
  const double before = std::exchange(next.pue, pue);
  return steps->Apply(absl::StrFormat("PUE %.4g to %.4g", before, pue), next);
}

absl::Status ApplyMix(Steps* steps, const TrainingRun& from) {
  TrainingRun next = steps->run();
  const GramsPerKwh before = next.net.value_or(next.gross);
  next.gross = from.gross;
  next.net = from.net;
  next.cfe = from.cfe;
  next.datacenter = from.datacenter;
  return steps->Apply(
      absl::StrFormat("energy mix of %s (net %.4g to %.4g g/kWh)",
                      from.datacenter, before.value(),
                      next.net.value_or(next.gross).value()),
      next);
}

// The known datacenter whose name has `name` in it.
absl::StatusOr<TrainingRun> FindDatacenter(absl::Span<const TrainingRun> known,
                                           const std::string& name) {
  std::vector<const TrainingRun*> found;
  std::vector<std::string> names;
  for (const TrainingRun& r : known) {
    if (r.datacenter.empty()) continue;
    bool seen = false;
    for (const std::string& n : names) seen = seen || Same(n, r.datacenter);
    if (seen) continue;
    names.push_back(r.datacenter);
    if (Same(r.datacenter, name)) return r;
    if (Contains(r.datacenter, name)) found.push_back(&r);
  }
  if (found.size() == 1) return *found[0];
  return absl::NotFoundError(absl::StrFormat(
      "what-if datacenter=%s: %s of: %s", name,
      found.empty() ? "none" : "more than one", absl::StrJoin(names, "; ")));
}

absl::Status ApplyDatacenter(Steps* steps, absl::Span<const TrainingRun> known,
                             const std::string& name) {
  ASSIGN_OR_RETURN(const TrainingRun place, FindDatacenter(known, name));
  RETURN_IF_ERROR(ApplyPue(steps, place.pue));
  return ApplyMix(steps, place);
}

void TakeMachine(const TrainingRun& from, TrainingRun* to) {
  to->accelerator = from.accelerator;
  to->chips = from.chips;
  to->days = from.days;
  to->watts = from.watts;
  to->tflops = from.tflops;
}

absl::Status ApplyAccelerator(Steps* steps, absl::Span<const TrainingRun> known,
                              const std::string& name) {
  TrainingRun next = steps->run();
  std::vector<const TrainingRun*> on_it;
  for (const TrainingRun& r : known) {
    if (!Same(r.accelerator, name)) continue;
    if (Same(r.model, next.model)) {
      TakeMachine(r, &next);
      return steps->Apply(absl::StrCat("accelerator ", steps->run().accelerator,
                                       " to ", r.accelerator, ", measured"),
                          next);
    }
    if (r.tflops) on_it.push_back(&r);
  }
  if (on_it.empty()) {
    return absl::NotFoundError(
        absl::StrFormat("what-if accelerator=%s: no known run has it", name));
  }
  if (!next.tflops) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "what-if accelerator=%s: run \"%s\" does not say its tflops", name,
        next.name));
  }
  double tflops = 0;
  Watts watts;
  for (const TrainingRun* r : on_it) {
    tflops += *r->tflops / on_it.size();
    watts += r->watts / on_it.size();
  }
  next.days *= *next.tflops / tflops;
  next.watts = watts;
  next.tflops = tflops;
  next.accelerator = on_it[0]->accelerator;
  return steps->Apply(
      absl::StrFormat(
          "accelerator %s to %s, scaled (%.3g TFLOPS at %.0f W, mean of %d)",
          steps->run().accelerator, next.accelerator, tflops, watts.value(),
          on_it.size()),
      next);
}

absl::Status ApplyModel(Steps* steps, absl::Span<const TrainingRun> known,
                        const std::string& name) {
  TrainingRun next = steps->run();
  const TrainingRun* other = nullptr;
  for (const TrainingRun& r : known) {
    if (!Same(r.model, name)) continue;
    if (Same(r.accelerator, next.accelerator)) {
      TakeMachine(r, &next);
      next.model = r.model;
      next.total_flops = r.total_flops;
      return steps->Apply(absl::StrCat("model ", steps->run().model, " to ",
                                       r.model, ", measured"),
                          next);
    }
    other = &r;
  }
  if (other == nullptr) {
    return absl::NotFoundError(
        absl::StrFormat("what-if model=%s: no known run has it", name));
  }
  if (!other->total_flops || !next.total_flops) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "what-if model=%s: total_flops are not known of both models", name));
  }
  next.days *= *other->total_flops / *next.total_flops;
  next.model = other->model;
  next.total_flops = other->total_flops;
  return steps->Apply(absl::StrCat("model ", steps->run().model, " to ",
                                   next.model, ", scaled by total FLOPs"),
                      next);
}

absl::Status ApplyRun(Steps* steps, absl::Span<const TrainingRun> known,
                      const std::string& name) {
  ASSIGN_OR_RETURN(const TrainingRun other, FindRun(known, name));
  TrainingRun next = steps->run();
  const double before = next.chips * next.days;
  next.name = other.name;
  next.model = other.model;
  next.accelerator = other.accelerator;
  next.chips = other.chips;
  next.days = other.days;
  next.tflops = other.tflops;
  next.total_flops = other.total_flops;
  RETURN_IF_ERROR(
      steps->Apply(absl::StrFormat("%s: %.4g to %.4g chip-years", other.name,
                                   before / 365, next.chips * next.days / 365),
                   next));
  next = steps->run();
  const Watts watts = std::exchange(next.watts, other.watts);
  RETURN_IF_ERROR(
      steps->Apply(absl::StrFormat("%.4g to %.4g W a chip", watts.value(),
                                   other.watts.value()),
                   next));
  RETURN_IF_ERROR(ApplyPue(steps, other.pue));
  return ApplyMix(steps, other);
}

absl::Status ApplyNumber(Steps* steps, const std::string& key,
                         const std::string& text) {
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("what-if %s=%s: not a number", key, text));
  }
  if (key == "pue") return ApplyPue(steps, value);
  TrainingRun next = steps->run();
  if (key == "chips") {
    next.chips = value;
  } else if (key == "days") {
    next.days = value;
  } else if (key == "watts") {
    next.watts = Watts(value);
  } else if (key == "gross") {
    next.gross = GramsPerKwh(value);
    if (next.net && *next.net > next.gross) next.net = next.gross;
  } else {
    next.net = GramsPerKwh(value);
  }
  return steps->Apply(absl::StrCat(key, " ", text), next);
}

absl::Status ApplyOne(Steps* steps, absl::Span<const TrainingRun> known,
                      const std::string& change) {
  const size_t equals = change.find('=');
  if (equals == std::string::npos) return ApplyRun(steps, known, change);
  const std::string key = change.substr(0, equals);
  const std::string value = change.substr(equals + 1);
  if (key == "datacenter") return ApplyDatacenter(steps, known, value);
  if (key == "accelerator") return ApplyAccelerator(steps, known, value);
  if (key == "model") return ApplyModel(steps, known, value);
  if (key == "run") return ApplyRun(steps, known, value);
  for (const char* number : {"pue", "chips", "days", "watts", "gross", "net"}) {
    if (key == number) return ApplyNumber(steps, key, value);
  }
  return absl::InvalidArgumentError(absl::StrFormat(
      "what-if %s: \"%s\" is none of datacenter, accelerator, model, run, pue, "
      "chips, days, watts, gross, net",
      change, key));
}

}  // namespace

absl::StatusOr<std::vector<Change>> WhatIf(
    const TrainingRun& base, absl::Span<const std::string> changes,
    absl::Span<const TrainingRun> known) {
  RETURN_IF_ERROR(CheckRun(base));
  Steps steps(base);
  for (const std::string& change : changes) {
    RETURN_IF_ERROR(ApplyOne(&steps, known, change));
  }
  return steps.Take();
}

}  // namespace ccsched
