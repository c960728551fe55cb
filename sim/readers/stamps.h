// Times as traces write them: with or without a zone, in civil time.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_READERS_STAMPS_H_
#define CCSCHED_SIM_READERS_STAMPS_H_

#include <cstdint>
#include <string_view>

namespace ccsched {

// Reads "2017-10-07 01:12:09", with T for the space, a fraction, and a zone
// (Z, +08:00, +0800) if there is one; *zoned says whether. *us are µs since
// 1970, in UTC if zoned and in the writer's local time if not.
bool ParseStamp(std::string_view text, int64_t* us, bool* zoned);

// Whether a field stands for nothing: empty, None, NaT, nan, null, NULL.
bool IsMissing(std::string_view text);

// Local time on the US Pacific coast to UTC, µs since 1970. The hour that
// comes twice in November is taken as its first. Source: the rules in force
// since 2007 (Energy Policy Act of 2005): daylight time from the second Sunday
// of March to the first of November, at 02:00.
int64_t PacificToUtc(int64_t local_us);

}  // namespace ccsched

#endif  // CCSCHED_SIM_READERS_STAMPS_H_
