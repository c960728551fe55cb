// A job as recorded, turned into what clients are shown.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/rpc/job_view.h"

#include <map>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "scheduler/base/units.h"
#include "scheduler/ledger/report.h"
#include "scheduler/model/use_history.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

double Grams(int64_t milligrams) {
  return static_cast<double>(milligrams) / 1000;
}

// What is recorded of one attempt's energy; absent as soon as a part is.
struct AttemptEnergy {
  std::optional<int64_t> joules = 0, site_joules = 0;
  std::optional<int64_t> milligrams = 0;
  std::string method;
  bool estimated = false;
};

void Add(const EmissionRow& row, AttemptEnergy& sum) {
  const auto add = [](std::optional<int64_t>& total,
                      const std::optional<int64_t>& part) {
    if (!part.has_value()) total.reset();
    if (total.has_value()) *total += *part;
  };
  add(sum.joules, row.joules);
  std::optional<int64_t> drawn;
  if (row.joules) drawn = WithPue(*row.joules, row.pue);
  add(sum.site_joules, drawn);
  add(sum.milligrams, row.milligrams);
  if (sum.method.empty()) sum.method = row.method;
  if (sum.method != row.method) sum.method = "mixed";
  sum.estimated |= row.intensity_estimated;
}

void FillAttempt(const AttemptRow& row, const AttemptEnergy* energy,
                 v1::Attempt& out) {
  out.set_epoch(row.epoch);
  out.set_site(row.site);
  out.set_accelerator(row.accelerator);
  out.set_count(row.count);
  for (v1::NodeShare& share : PartsOf(row)) {
    *out.add_nodes() = std::move(share);
  }
  if (row.started) *out.mutable_started() = ToProto(*row.started);
  if (row.ended) *out.mutable_ended() = ToProto(*row.ended);
  out.set_outcome(row.outcome);
  if (row.exit_code) out.set_exit_code(*row.exit_code);
  if (row.signal) out.set_signal(*row.signal);
  const UseHistory use = UseHistory::FromText(row.use);
  if (!use.empty()) {
    v1::UseHistory& history = *out.mutable_use();
    history.set_of(use.of_accelerators() ? "accelerators" : "processors");
    *history.mutable_step() = ToProto(use.step());
    for (const unsigned level : use.Levels()) history.add_levels(level);
    *history.mutable_idle() = ToProto(use.Idle());
  }
  if (energy == nullptr) return;
  if (energy->joules) out.set_energy_kwh(Kwh(*energy->joules));
  if (energy->site_joules) {
    out.set_site_energy_kwh(Kwh(*energy->site_joules));
  }
  if (energy->milligrams) out.set_co2e_g(Grams(*energy->milligrams));
  out.set_energy_method(energy->method);
  out.set_co2e_estimated(energy->estimated);
}

void FillState(const JobRecord& record, v1::Job& out) {
  const JobStateRow& state = record.state;
  const auto model = static_cast<JobState>(state.state);
  out.set_state(ToProto(model));
  if (state.started) *out.mutable_started() = ToProto(*state.started);
  if (state.ended) *out.mutable_ended() = ToProto(*state.ended);
  if (model == JobState::kDeferred) {
    if (state.wake) *out.mutable_planned_start() = ToProto(*state.wake);
    out.set_planned_site(state.planned_site);
  }
  if (state.exit_code) out.set_exit_code(*state.exit_code);
  out.set_state_note(state.note);
  if (record.joules) out.set_energy_kwh(Kwh(*record.joules));
  if (record.milligrams) out.set_co2e_g(Grams(*record.milligrams));
  if (record.baseline_milligrams) {
    out.set_baseline_co2e_g(Grams(*record.baseline_milligrams));
  }
}

}  // namespace

double Kwh(int64_t joules) {
  return static_cast<double>(joules) / kJoulesPerKwh;
}

v1::JobState ToProto(JobState state) {
  return static_cast<v1::JobState>(static_cast<int>(state) + 1);
}

absl::StatusOr<JobState> FromProto(v1::JobState state) {
  if (state < v1::JOB_HELD || state > v1::JOB_TIMED_OUT) {
    return absl::InvalidArgumentError(
        absl::StrCat("states: ", static_cast<int>(state), " is no job state"));
  }
  return static_cast<JobState>(static_cast<int>(state) - 1);
}

std::vector<v1::NodeShare> PartsOf(const AttemptRow& row) {
  std::vector<v1::NodeShare> shares;
  for (const absl::string_view part :
       absl::StrSplit(row.nodes, ',', absl::SkipEmpty())) {
    const size_t colon = part.rfind(':');
    uint32_t count = 0;
    if (colon == absl::string_view::npos ||
        !absl::SimpleAtoi(part.substr(colon + 1), &count)) {
      continue;
    }
    v1::NodeShare& share = shares.emplace_back();
    share.set_node(part.data(), colon);
    share.set_count(count);
  }
  if (row.part_starts.empty()) {
    for (v1::NodeShare& share : shares) {
      if (row.started) *share.mutable_started() = ToProto(*row.started);
    }
    return shares;
  }
  size_t rank = 0;
  for (const absl::string_view text : absl::StrSplit(row.part_starts, ',')) {
    int64_t us = 0;
    if (rank < shares.size() && absl::SimpleAtoi(text, &us)) {
      *shares[rank].mutable_started() = ToProto(absl::FromUnixMicros(us));
    }
    ++rank;
  }
  return shares;
}

std::string PartStartsText(absl::Span<const std::optional<absl::Time>> starts) {
  return absl::StrJoin(
      starts, ",", [](std::string* out, const std::optional<absl::Time>& at) {
        if (at) absl::StrAppend(out, absl::ToUnixMicros(*at));
      });
}

v1::Job JobView(const JobRecord& record,
                absl::Span<const EmissionRow> emissions) {
  v1::Job out;
  const SubmissionRow& submission = record.submission;
  out.set_id(submission.id.value());
  // A payload that can't be read leaves the spec empty; the rest is columns.
  if (!out.mutable_spec()->ParseFromString(submission.payload)) {
    out.clear_spec();
  }
  // It may be large, and the agent has it: that there is one is enough.
  v1::JobSpec& spec = *out.mutable_spec();
  if (!spec.script().empty()) spec.set_script("#!");
  *out.mutable_submitted() = ToProto(submission.submitted);
  if (submission.array_index) {
    out.set_array_index(*submission.array_index);
    out.set_array_id(submission.array_id.value());
  }
  out.set_baseline_site(submission.baseline_site);
  if (out.spec().has_finish_by()) {
    *out.mutable_finish_by() = out.spec().finish_by();
  }
  FillState(record, out);
  std::map<uint32_t, AttemptEnergy> energy;
  for (const EmissionRow& row : emissions) Add(row, energy[row.epoch]);
  for (const AttemptRow& row : record.attempts) {
    const auto found = energy.find(row.epoch);
    FillAttempt(row, found == energy.end() ? nullptr : &found->second,
                *out.add_attempts());
  }
  if (record.decision.has_value()) {
    out.mutable_reason()->ParseFromString(record.decision->payload);
  }
  return out;
}

v1::Act ActView(const ActRow& row) {
  v1::Act out;
  *out.mutable_at() = ToProto(row.at);
  out.set_by(row.by);
  out.set_what(row.what);
  out.set_detail(row.detail);
  out.set_target(row.job ? absl::StrCat("job ", row.job->value()) : row.target);
  if (row.job) out.set_job_id(row.job->value());
  return out;
}

v1::EmissionSlice SliceView(const EmissionRow& row) {
  v1::EmissionSlice out;
  out.set_epoch(row.epoch);
  *out.mutable_start() = ToProto(row.start);
  *out.mutable_end() = ToProto(row.end);
  if (row.joules) out.set_energy_kwh(Kwh(*row.joules) * row.pue);
  out.set_pue(row.pue);
  if (row.intensity) out.set_intensity(*row.intensity);
  if (row.milligrams) out.set_co2e_g(Grams(*row.milligrams));
  out.set_energy_method(row.method);
  out.set_estimated(row.intensity_estimated);
  out.set_data_version(row.data_version);
  out.set_site(row.site);
  out.set_region(row.region);
  if (row.grid_share) out.set_cfe_share(*row.grid_share);
  if (row.marginal) out.set_marginal(*row.marginal);
  if (row.embodied) out.set_embodied_co2e_g(Grams(*row.embodied));
  out.set_revision(row.revision);
  *out.mutable_recorded() = ToProto(row.recorded);
  if (row.superseded_at) {
    *out.mutable_superseded_at() = ToProto(*row.superseded_at);
  }
  return out;
}

v1::ReportRow ReportView(const ReportRecord& record) {
  v1::ReportRow out;
  out.set_key(record.key);
  out.set_jobs(record.jobs);
  out.set_attempts(record.attempts);
  out.set_accelerator_hours(record.accelerator_hours);
  if (record.joules) {
    out.set_energy_kwh(Kwh(*record.joules));
    if (*record.joules > 0) {
      out.set_measured_share(static_cast<double>(record.measured_joules) /
                             static_cast<double>(*record.joules));
    }
  }
  if (record.milligrams) out.set_co2e_g(Grams(*record.milligrams));
  if (record.baseline_milligrams) {
    out.set_baseline_co2e_g(Grams(*record.baseline_milligrams));
  }
  if (record.compared_milligrams) {
    out.set_compared_co2e_g(Grams(*record.compared_milligrams));
  }
  out.set_estimated(record.estimated);
  out.set_unknown_energy_attempts(record.unknown_energy_attempts);
  out.set_unknown_carbon_attempts(record.unknown_carbon_attempts);
  if (record.net_milligrams) out.set_net_co2e_g(Grams(*record.net_milligrams));
  if (record.score_joules > 0) {
    out.set_cfe_score(record.carbon_free_joules /
                      static_cast<double>(record.score_joules));
    out.set_cfe_known_share(static_cast<double>(record.score_joules) /
                            static_cast<double>(record.joules.value_or(0)));
  }
  if (record.marginal_milligrams) {
    out.set_marginal_co2e_g(Grams(*record.marginal_milligrams));
  }
  if (record.embodied_milligrams) {
    out.set_embodied_co2e_g(Grams(*record.embodied_milligrams));
  }
  if (record.lost_joules) {
    out.set_transmission_loss_kwh(Kwh(*record.lost_joules));
  }
  if (record.lost_milligrams) {
    out.set_transmission_loss_co2e_g(Grams(*record.lost_milligrams));
  }
  out.set_restated_slices(record.restated);
  if (record.restated_last) {
    *out.mutable_restated_last() = ToProto(*record.restated_last);
  }
  for (const auto& [currency, cost] : record.costs) {
    v1::ReportCost& c = *out.add_cost();
    c.set_currency(currency);
    if (cost.electricity_micros)
      c.set_electricity(*cost.electricity_micros / 1e6);
    if (cost.accelerator_micros) {
      c.set_accelerators(*cost.accelerator_micros / 1e6);
    }
  }
  if (!record.costs.empty()) out.set_unpriced_kwh(Kwh(record.unpriced_joules));
  return out;
}

}  // namespace ccsched
