// Tests of the ready queue: its order through any history.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/model/ready_queue.h"

#include <algorithm>
#include <vector>

#include "gtest/gtest.h"
#include "scheduler/base/random.h"

namespace ccsched {
namespace {

class ReadyQueueTest : public ::testing::Test {
 protected:
  ReadyQueueTest() : queue_(jobs_, shapes_) {}
  JobRef NewJob(uint32_t count, int32_t priority = 0) {
    JobShape shape;
    shape.count = count;
    shape.priority = priority;
    Job job;
    job.spec.id = JobId(++last_id_);
    job.shape = shapes_.Intern(shape);
    return jobs_.Insert(job);
  }
  std::vector<JobRef> Drain() {
    std::vector<JobRef> order;
    while (!queue_.empty()) {
      order.push_back(queue_.Head());
      queue_.Remove(order.back());
    }
    return order;
  }

  JobTable jobs_;
  ShapeTable shapes_;
  ReadyQueue queue_;
  uint64_t last_id_ = 0;
};

TEST_F(ReadyQueueTest, IsFirstInFirstOutOverAllShapes) {
  const JobRef a = NewJob(1), b = NewJob(8), c = NewJob(1), d = NewJob(2);
  for (const JobRef ref : {a, b, c, d}) queue_.Push(ref);
  EXPECT_EQ(Drain(), (std::vector<JobRef>{a, b, c, d}));
}

TEST_F(ReadyQueueTest, PutsHigherPriorityFirst) {
  const JobRef low = NewJob(1, 0), high = NewJob(1, 5);
  queue_.Push(low);
  queue_.Push(high);
  EXPECT_EQ(Drain(), (std::vector<JobRef>{high, low}));
}

TEST_F(ReadyQueueTest, GivesARequeuedJobItsOldPlace) {
  const JobRef a = NewJob(1), b = NewJob(1), c = NewJob(1);
  const uint64_t key = queue_.Push(a);
  queue_.Push(b);
  queue_.Push(c);
  queue_.Remove(a);
  queue_.Push(a, key);
  EXPECT_EQ(Drain(), (std::vector<JobRef>{a, b, c}));
}

TEST_F(ReadyQueueTest, KeepsItsOrderThroughAnyHistory) {
  const uint64_t seed = 11;
  SCOPED_TRACE(seed);
  Random random(seed);
  std::vector<JobRef> model;  // in the order of keys
  for (int step = 0; step < 3000; ++step) {
    if (model.empty() || random.Below(3) > 0) {
      const JobRef ref = NewJob(1 + random.Below(4));
      queue_.Push(ref);
      model.push_back(ref);
    } else {
      const size_t i = random.Below(model.size());
      queue_.Remove(model[i]);
      jobs_.Erase(model[i]);
      model.erase(model.begin() + i);
    }
    ASSERT_EQ(queue_.size(), model.size());
    ASSERT_EQ(queue_.Head(), model.empty() ? kNoJob : model.front());
  }
  EXPECT_EQ(Drain(), model);
}

}  // namespace
}  // namespace ccsched
