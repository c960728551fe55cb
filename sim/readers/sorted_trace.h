// Gives the jobs of a trace in the order of their submission.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_READERS_SORTED_TRACE_H_
#define CCSCHED_SIM_READERS_SORTED_TRACE_H_

#include <memory>

#include "sim/readers/external_sort.h"
#include "sim/trace.h"

namespace ccsched {

struct SortedTraceOptions {
  ExternalSortOptions sort;
  // Leave out a job that is another's equal in all, its id included.
  bool drop_duplicates = false;
};

// The same jobs, sorted by time of submission on disk; those submitted together
// keep their order. The first Next reads the whole of `trace`: it returns the
// error of each row that can't be read, and goes on when called again. Jobs
// without an id get the number of their row, from 0, as they would unsorted.
std::unique_ptr<TraceReader> SortBySubmission(
    std::unique_ptr<TraceReader> trace, SortedTraceOptions options = {});

}  // namespace ccsched

#endif  // CCSCHED_SIM_READERS_SORTED_TRACE_H_
