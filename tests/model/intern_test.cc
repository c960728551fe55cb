// Tests of the tables that give equal values one number.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/model/intern.h"

#include <gtest/gtest.h>

namespace ccsched {
namespace {

JobShape Shape(uint32_t count, int32_t priority) {
  JobShape shape;
  shape.count = shape.min_count = shape.max_count = count;
  shape.priority = priority;
  return shape;
}

// Many shapes of one width push each other out of what it remembers best.
TEST(InternTest, GivesEqualShapesOneNumberWhateverCameBetween) {
  ShapeTable table;
  for (int round = 0; round < 3; ++round) {
    for (uint32_t i = 0; i < 200; ++i) {
      const JobShape shape = Shape(1 + i % 40, static_cast<int32_t>(i / 40));
      const ShapeId id = table.Intern(shape);
      EXPECT_EQ(id.value(), i);
      EXPECT_EQ(table.Intern(shape), id);
      EXPECT_TRUE(table[id] == shape);
    }
  }
  EXPECT_EQ(table.size(), 200u);
}

}  // namespace
}  // namespace ccsched
