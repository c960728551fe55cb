// The energy of one attempt as its nodes report it, split into ledger rows.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SCHEDULER_DAEMON_ENERGY_BOOK_H_
#define CCSCHED_SCHEDULER_DAEMON_ENERGY_BOOK_H_

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "scheduler/base/units.h"
#include "scheduler/carbon/accounting.h"
#include "scheduler/carbon/grid_record.h"
#include "scheduler/daemon/counted_lately.h"

namespace ccsched {

// The intensity of the attempt's region over a stretch of time.
using SliceSource =
    std::function<std::vector<GridSlice>(absl::Time from, absl::Time to)>;

// Adds up what the nodes of a gang report, each at its own pace: the account
// goes as far as all of them have reported. What no report covers is filled
// with the pool's power at work, marked "estimated", or is unknown where the
// pool's power is.
class AttemptEnergy {
 public:
  // `counts`: accelerators by part. Accounts from `start` on.
  AttemptEnergy(const std::vector<uint32_t>& counts, Watts active, double pue,
                absl::Time start, SliceSource slices);

  // Energy of one part over [from, to). Of what overlaps earlier reports the
  // rest counts: what these did not say yet, if it begins where one of them
  // did, else by its length. What is missing before it is filled.
  // REQUIRES: joules is finite and not negative.
  void Report(size_t part, absl::Time from, absl::Time to, Joules joules,
              const std::string& method);
  // The part used nothing before it started.
  void Started(size_t part, absl::Time at);
  // The part's last report has come; fills up to `at`. It uses nothing more.
  void Ended(size_t part, absl::Time at);

  // Rows that are complete; with `everything`, all (nothing comes after).
  std::vector<AccountRow> Take(bool everything);
  // The part's last report went so far.
  absl::Time until(size_t part) const { return parts_[part].until; }
  // "measured", "modelled", "estimated": the weakest of what went in so far.
  const std::string& method() const { return method_; }

 private:
  struct Stretch {
    absl::Time end;
    double watts = 0;
    bool known = true;
  };
  struct Part {
    uint32_t count = 1;
    absl::Time until;
    bool ended = false;
    std::deque<Stretch> ahead;  // reported, not yet accounted
    CountedLately<Joules> lately;
  };
  void Fill(Part& part, absl::Time to);
  void Append(Part& part, absl::Time to, std::optional<double> watts);
  void Weaken(const std::string& method);
  void Settle();

  const Watts active_;
  const SliceSource slices_;
  Account account_;
  std::vector<Part> parts_;
  absl::Time done_;
  std::string method_ = "measured";
};

}  // namespace ccsched

#endif  // CCSCHED_SCHEDULER_DAEMON_ENERGY_BOOK_H_
