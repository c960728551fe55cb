// Measures bound, offline plan and live planner on trace instances.
// SPDX-License-Identifier: Apache-2.0
//
//   planner_lab [key=value]... : zones=4|6|NAME,NAME.., capacity=, delay=,
//   start=, days=, keep=, jobs=, suspend=0|1, rounds=, cache=DIR (of bounds),
//   mode=bound|offline|live, improve= and search=ROUNDS (of bettering)
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <map>
#include <numeric>
#include <sstream>
#include <string>

#include "policies/planner/improve.h"
#include "policies/planner/iterated_search.h"
#include "policies/planner/pricing.h"
#include "policies/planner/rigid_response.h"
#include "policies/planner/schedule.h"
#include "policies/planner/slot_usage.h"
#include "tests/policies/planner/lab_anatomy.h"
#include "tests/policies/planner/lab_live.h"
#include "tests/policies/planner/lab_load.h"

namespace ccsched {
namespace {

double CpuSeconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

void PrintUsage(const PlanInstance& plan, const std::vector<double>& usage) {
  for (size_t p = 0; p < plan.pools.size(); ++p) {
    std::printf("pool %zu (%% by day):", p);
    for (int32_t day = 0; day < plan.slots / 24; ++day) {
      double sum = 0;
      for (int h = 0; h < 24; ++h) sum += usage[p * plan.slots + day * 24 + h];
      std::printf(" %.0f", 100 * sum / 24 / plan.pools[p].capacity);
    }
    std::printf("\n");
  }
}

using Polish = std::function<void(Schedule&)>;

// A plan of all jobs, placed one by one under `prices`, then polished.
LiveResult Report(const char* what, const PlanInstance& plan,
                  const PriceTable& carbon, const PriceTable& prices,
                  bool big_first, double bound,
                  const Polish& polish = nullptr) {
  const double before = CpuSeconds();
  Schedule schedule(plan);
  std::vector<size_t> order(plan.jobs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (big_first) {
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return plan.jobs[a].Work() > plan.jobs[b].Work();
    });
  }
  for (const size_t j : order) schedule.PutCheapest(prices, j);
  if (polish) polish(schedule);
  LiveResult result;
  result.runs.reserve(plan.jobs.size());
  SlotUsage use(plan.pools.size(), plan.slots);
  for (size_t j = 0; j < plan.jobs.size(); ++j) {
    const PlanJob& job = plan.jobs[j];
    const Schedule::Place& place = schedule.place(j);
    const int64_t end = place.start + job.duration;
    use.Add(place.pool, place.start, end, job.count);
    result.grams += job.count * carbon.Between(place.pool, place.start, end);
    result.late += end > job.latest_end;
    result.runs.push_back(
        {.pool = place.pool, .start = place.start, .end = end});
  }
  result.usage = use.Sum();
  std::printf("%s: %.4f t, gap %.2f %%, late %d, cpu %.2f s\n", what,
              result.grams / 1e6, 100 * (result.grams / bound - 1), result.late,
              CpuSeconds() - before);
  return result;
}

using Arguments = std::map<std::string, std::string>;

void RunLive(const PlanInstance& plan, Arguments& args, Pricing& pricing) {
  const double bound = pricing.best_bound();
  RollingOptions options;
  options.ascent_rounds = std::stoi(args["ascent"]);
  options.improve_rounds = std::stoll(args["improve"]);
  options.demand.weeks = std::stoi(args["history"]);
  options.demand.scale = std::stod(args["scale"]);
  options.demand.least_size = std::stod(args["least"]);
  options.book.horizon_slots = std::stoi(args["horizon"]);
  options.tail = std::stod(args["tail"]);
  options.book.settle_hours = std::stod(args["settle"]);
  options.book.trust_hours = std::stod(args["trust"]);
  options.book.sure_hours = std::stod(args["sure"]);
  const double before = CpuSeconds();
  const LiveResult live = PlayLive(
      plan, options, static_cast<int64_t>(std::stod(args["every"]) * 3.6e9));
  std::printf(
      "live: %.4f t, gap %.2f %%, late %d, wait %.2f h, replans %d, cpu "
      "%.2f s\n",
      live.grams / 1e6,
      100 * (live.grams / (std::stod(args["bound"]) > 0
                               ? std::stod(args["bound"]) * 1e6
                               : bound) -
             1),
      live.late, live.wait_hours, live.replans, CpuSeconds() - before);
  if (args["usage"] == "1") PrintUsage(plan, live.usage);
  if (args["anatomy"] == "1") {
    PriceTable priced(plan);
    for (size_t p = 0; p < plan.pools.size(); ++p) {
      priced.SetPrices(plan, static_cast<int>(p),
                       &pricing.best_prices()[p * plan.slots]);
    }
    PrintAnatomy(plan, priced, pricing.best_prices(), live, bound);
  }
}

// All jobs known in advance.
void RunOffline(const PlanInstance& plan, Arguments& args,
                const Pricing& pricing) {
  const double bound = pricing.best_bound();
  const PriceTable carbon(plan);
  PriceTable priced(plan);
  for (size_t p = 0; p < plan.pools.size(); ++p) {
    priced.SetPrices(plan, static_cast<int>(p),
                     &pricing.best_prices()[p * plan.slots]);
  }
  Report("greedy on arrival, carbon", plan, carbon, carbon, false, bound);
  Report("greedy on arrival, priced", plan, carbon, priced, false, bound);
  Report("big first, priced", plan, carbon, priced, true, bound);
  std::vector<uint32_t> movable(plan.jobs.size());
  std::iota(movable.begin(), movable.end(), uint32_t{0});
  Report("big first, improved", plan, carbon, priced, true, bound,
         [&](Schedule& schedule) {
           Improve(plan, carbon, priced, movable,
                   {.rounds = std::stoll(args["improve"])}, schedule);
         });
  const int64_t rounds = std::stoll(args["search"]);
  const LiveResult best =
      Report("big first, searched", plan, carbon, priced, true, bound,
             [&](Schedule& schedule) {
               IteratedSearch search(plan, carbon, priced, movable,
                                     std::stoull(args["seed"]), schedule);
               for (int64_t round = 0; round < rounds; ++round) search.Round();
             });
  if (args["usage"] == "1") PrintUsage(plan, best.usage);
  if (args["anatomy"] == "1") {
    PrintAnatomy(plan, priced, pricing.best_prices(), best, bound);
  }
}

LabSetup Setup(Arguments& args) {
  LabSetup setup;
  const char* traces = std::getenv("CCSCHED_TRACES");
  setup.traces = traces != nullptr ? traces : "../shared/traces";
  setup.zones = {"US-MIDA-PJM", "US-TEX-ERCO", "DE", "US-CAL-CISO"};
  if (args["zones"] == "6") {
    setup.zones.push_back("GB");
    setup.zones.push_back("CA-ON");
  } else if (args["zones"] != "4") {
    setup.zones.clear();
    std::stringstream in(args["zones"]);
    for (std::string z; std::getline(in, z, ',');) setup.zones.push_back(z);
  }
  if (!args["jobs"].empty()) setup.jobs = args["jobs"];
  setup.capacity = std::stod(args["capacity"]);
  setup.delay_hours = std::stod(args["delay"]);
  setup.days = std::stoi(args["days"]);
  setup.keep = std::stod(args["keep"]);
  setup.suspendable = args["suspend"] == "1";
  setup.shift_weeks = std::stoi(args["weeks"]);
  setup.start = args["start"] + "T00:00:00Z";
  return setup;
}

// The bound's prices, from a file of an earlier run if there is one.
void SeekBound(const PlanInstance& plan, Arguments& args, Pricing& pricing) {
  double before = CpuSeconds();
  const int rounds = std::stoi(args["rounds"]);
  std::string key = args["cache"] + "/b";
  for (const char* k : {"zones", "capacity", "delay", "days", "keep", "suspend",
                        "start", "weeks", "jobs"}) {
    key += "_" + args[k];
  }
  std::replace(key.begin() + args["cache"].size() + 1, key.end(), '/', '-');
  std::ifstream cached(args["cache"].empty() ? "" : key);
  std::vector<double> prices(plan.pools.size() * plan.slots);
  for (double& x : prices) cached >> x;
  if (cached) {
    pricing.Warm(prices);
    pricing.Ascend({.rounds = 1, .hope = 1e-9, .least_hope = 0});
  }
  for (int done = 0; done < rounds && !cached; done += rounds) {
    pricing.Ascend({.rounds = rounds, .hope = 0.05, .least_hope = 1e-7});
    std::printf("rounds %d bound %.4f t  cpu %.2f s\n", pricing.rounds(),
                pricing.best_bound() / 1e6, CpuSeconds() - before);
  }
  if (!cached && !args["cache"].empty()) {
    std::ofstream out(key);
    out.precision(17);
    for (const double x : pricing.best_prices()) out << x << "\n";
  }
}

int Main(int argc, char** argv) {
  Arguments args = {
      {"zones", "4"},    {"capacity", "300"}, {"delay", "24"},
      {"days", "28"},    {"keep", "1"},       {"suspend", "0"},
      {"rounds", "600"}, {"mode", "bound"},   {"start", "2021-10-03"},
      {"weeks", "209"},  {"bound", "0"},      {"tail", "1"},
      {"usage", "0"},    {"improve", "200"},  {"ascent", "15"},
      {"every", "1"},    {"settle", "8"},     {"trust", "150"},
      {"sure", "96"},    {"cache", ""},       {"anatomy", "1"},
      {"jobs", ""},      {"history", "1"},    {"scale", "1"},
      {"least", "60"},   {"horizon", "168"},  {"search", "200000"},
      {"seed", "1"}};
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    const auto found = args.find(arg.substr(0, arg.find('=')));
    if (found == args.end() || arg.find('=') == std::string::npos) {
      std::fprintf(stderr, "no such argument: %s\n", arg.c_str());
      return 2;
    }
    found->second = arg.substr(arg.find('=') + 1);
  }
  const PlanInstance plan = LoadLab(Setup(args));
  double hours = 0;
  for (const PlanJob& job : plan.jobs)
    hours += job.count * (job.duration / 3.6e9);
  std::printf("jobs %zu gpu-hours %.0f slots %d\n", plan.jobs.size(), hours,
              plan.slots);
  Pricing pricing(plan);
  SeekBound(plan, args, pricing);
  if (args["mode"] == "bound") return 0;
  if (args["mode"] == "live") {
    RunLive(plan, args, pricing);
    return 0;
  }
  RunOffline(plan, args, pricing);
  return 0;
}

}  // namespace
}  // namespace ccsched

int main(int argc, char** argv) { return ccsched::Main(argc, argv); }
