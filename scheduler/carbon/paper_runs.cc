// The training runs of Patterson et al. 2021 by their printed inputs.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/footprint.h"

namespace ccsched {
namespace {

constexpr char kTable4[] = "arXiv 2104.10350v3, Table 4";
constexpr char kTable1[] = "arXiv 2104.10350v3, Table 1";

// The US average of 2020 and Google's Iowa, as Table 1 has them.
TrainingRun Table1(const char* model, const char* chip, bool iowa) {
  TrainingRun r;
  const std::string place = iowa ? "Iowa" : "US average";
  r.name = std::string(model) + ", " + chip + ", " + place;
  r.model = model;
  r.accelerator = chip;
  r.datacenter = iowa ? "Google Iowa" : "US average";
  r.chips = 8;
  r.pue = iowa ? 1.11 : 1.59;
  r.gross = GramsPerKwh(iowa ? 478 : 429);
  r.net = GramsPerKwh(iowa ? 80 : 429);
  r.source = kTable1;
  return r;
}

void Measured(TrainingRun* r, double watts, double days, double tflops,
              double flops, PrintedFigures printed) {
  r->watts = Watts(watts);
  r->days = days;
  r->tflops = tflops;
  r->total_flops = flops;
  r->printed = printed;
}

std::vector<TrainingRun> Table1Runs() {
  constexpr char kBig[] = "Transformer (Big)";
  constexpr char kEvolved[] = "Evolved Transformer";
  constexpr double kBigFlops = 1.61e19;
  constexpr double kEvolvedFlops = 1.03e19;
  std::vector<TrainingRun> runs = {
      Table1(kBig, "P100", false), Table1(kBig, "P100", true),
      Table1(kEvolved, "P100", true), Table1(kBig, "TPU v2", true),
      Table1(kEvolved, "TPU v2", true)};
  Measured(&runs[0], 296, 3.5, 6.7, kBigFlops, {316, 135.7, 135.7});
  Measured(&runs[1], 296, 3.5, 6.7, kBigFlops, {221, 105.5, 17.7});
  Measured(&runs[2], 271, 3.2, 4.7, kEvolvedFlops, {185, 88.3, 14.8});
  Measured(&runs[3], 229, .81, 28.8, kBigFlops, {40, 18.9, 3.2});
  Measured(&runs[4], 227, .62, 24.0, kEvolvedFlops, {30, 14.3, 2.4});
  return runs;
}

TrainingRun Table4(const char* name, const char* chip, const char* datacenter,
                   double pue, double gross, double net, double chips) {
  TrainingRun r;
  r.name = r.model = name;
  r.accelerator = chip;
  r.datacenter = datacenter;
  r.chips = chips;
  r.pue = pue;
  r.gross = GramsPerKwh(gross);
  r.net = GramsPerKwh(net);
  r.source = kTable4;
  return r;
}

std::vector<TrainingRun> Table4Runs() {
  std::vector<TrainingRun> runs = {
      Table4("Evolved Transformer NAS", "TPU v2", "Google Georgia, Dec 2018",
             1.10, 431, 431, 200),
      Table4("T5", "TPU v3", "Google Taiwan, Sep 2019", 1.12, 545, 545, 512),
      Table4("Meena", "TPU v3", "Google Georgia, Dec 2019", 1.09, 415, 415,
             1024),
      Table4("GShard-600B", "TPU v3", "Google North Carolina, Apr 2020", 1.09,
             201, 177, 1024),
      Table4("Switch Transformer", "TPU v3", "Google Georgia, Oct 2020", 1.10,
             403, 330, 1024),
      Table4("GPT-3", "V100", "Microsoft, 2020", 1.10, 429, 429, 10000)};
  Measured(&runs[0], 208, 6.8, 24.8, 2.91e21, {7500, 3200, 3200});
  Measured(&runs[1], 310, 20, 45.6, 4.05e22, {85700, 46700, 46700});
  Measured(&runs[2], 289, 30, 42.3, 1.12e23, {232000, 96400, 96400});
  Measured(&runs[3], 288, 3.1, 48.0, 1.33e22, {24100, 4800, 4300});
  Measured(&runs[4], 245, 27, 34.4, 8.22e22, {179000, 72200, 59100});
  Measured(&runs[5], 330, 14.8, 24.6, 3.14e23, {1287000, 552100, 552100});
  const double cfe[] = {.31, .19, .30, .73, .43};
  for (size_t i = 0; i < std::size(cfe); ++i) runs[i].cfe = cfe[i];
  return runs;
}

}  // namespace

const std::vector<TrainingRun>& PaperRuns() {
  static const std::vector<TrainingRun>* const kRuns = [] {
    auto* runs = new std::vector<TrainingRun>(Table4Runs());
    for (TrainingRun& r : Table1Runs()) runs->push_back(std::move(r));
    return runs;
  }();
  return *kRuns;
}

}  // namespace ccsched
