// Names of output files: %j and its kin, filled in.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_AGENT_OUTPUT_NAME_H_
#define CCSCHED_AGENT_OUTPUT_NAME_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ccsched {

struct OutputNames {
  uint64_t job = 0;
  uint64_t array = 0;  // the job id of the array; the job's own outside of one
  std::optional<uint32_t> index;
  uint32_t rank = 0;
  uint32_t epoch = 0;
  std::string node;
  std::string name;  // the job's
  std::string user;
};

// Fills in %j job id, %a array index (0 outside of an array), %A id of the
// array, %r and %t rank, %e attempt, %n and %N node, %x job name, %u user, %%.
// A width pads numbers with zeros: %4j. What a name brings in can't leave the
// folder: '/' in it becomes '_', and so do "." and "..". Anything else after %
// stays as it is.
std::string ExpandOutputName(std::string_view pattern,
                             const OutputNames& names);

}  // namespace ccsched

#endif  // CCSCHED_AGENT_OUTPUT_NAME_H_
