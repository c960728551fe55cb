// Carbon-free energy under contract, from the configuration.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/daemon/contracts.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "scheduler/base/status.h"
#include "scheduler/carbon/grid_csv.h"
#include "scheduler/wire/proto_time.h"
#include "scheduler/wire/time.h"

namespace ccsched {
namespace {

absl::Status Bad(const std::string& where, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(where, ": ", what));
}

absl::StatusOr<ContractRow> ReadFile(const v1::CleanEnergyConfig& config,
                                     const std::string& where,
                                     const std::string& config_file) {
  const std::string column = config.column().empty() ? "kwh" : config.column();
  ASSIGN_OR_RETURN(const GridColumn values,
                   ReadGridCsv(RelativeTo(config_file, config.file()), column,
                               GapRule::kRefuse));
  if (!values.basis.empty()) {
    return Bad(where, absl::StrCat("column ", column, " of ", config.file(),
                                   " holds no kWh"));
  }
  ContractRow row;
  row.step = values.series.step();
  // Only whole steps within [from, to) count.
  for (size_t i = 0; i < values.series.values().size(); ++i) {
    const absl::Time start = values.series.start() + row.step * i;
    if (config.has_from() && start < FromProto(config.from())) continue;
    if (config.has_to() && start + row.step > FromProto(config.to())) break;
    const double kwh = values.series.values()[i];
    if (!(std::isfinite(kwh) && kwh >= 0)) {
      return Bad(where,
                 absl::StrCat(config.file(), " at ", FormatRfc3339(start), ": ",
                              kwh, " kWh is negative"));
    }
    if (row.kwh.empty()) row.start = start;
    row.kwh.push_back(kwh);
    row.end = start + row.step;
  }
  if (row.kwh.empty()) {
    return Bad(where,
               absl::StrCat(config.file(), " has no value in that time"));
  }
  return row;
}

absl::StatusOr<ContractRow> ReadOne(const v1::CleanEnergyConfig& config,
                                    const std::string& where,
                                    const std::string& config_file) {
  if (config.has_kwh_per_hour() == !config.file().empty()) {
    return Bad(where, "give one of kwh_per_hour and file");
  }
  if (config.has_from() && config.has_to() &&
      FromProto(config.from()) >= FromProto(config.to())) {
    return Bad(where, "from: must be before to");
  }
  if (!config.file().empty()) return ReadFile(config, where, config_file);
  if (!(config.kwh_per_hour() >= 0 && std::isfinite(config.kwh_per_hour()))) {
    return Bad(where, absl::StrCat("kwh_per_hour: ", config.kwh_per_hour(),
                                   " is negative"));
  }
  ContractRow row;
  row.kwh = {config.kwh_per_hour()};
  if (config.has_from()) row.start = FromProto(config.from());
  if (config.has_to()) row.end = FromProto(config.to());
  return row;
}

}  // namespace

absl::StatusOr<std::vector<ContractRow>> ReadContractConfig(
    const Cluster& cluster, const std::string& config_file) {
  std::vector<ContractRow> rows;
  const auto add = [&](const auto& contracts, const std::string& region,
                       const std::string& site) -> absl::Status {
    for (int i = 0; i < contracts.size(); ++i) {
      const std::string where =
          absl::StrCat(site.empty() ? "region " : "site ",
                       site.empty() ? region : site, ": clean_energy[", i, "]");
      ASSIGN_OR_RETURN(ContractRow row,
                       ReadOne(contracts[i], where, config_file));
      row.region = region;
      row.site = site;
      row.name = contracts[i].name();
      rows.push_back(std::move(row));
    }
    return absl::OkStatus();
  };
  for (const v1::RegionConfig& region : cluster.config.regions()) {
    if (region.has_transmission_loss() &&
        !(region.transmission_loss() >= 0 && region.transmission_loss() < 1)) {
      return Bad("region " + region.name(),
                 absl::StrCat("transmission_loss: ", region.transmission_loss(),
                              " is not from 0 to below 1"));
    }
    if (region.has_residual_mix()) {
      if (!(region.residual_mix() >= 0 && region.residual_mix() <= 10'000)) {
        return Bad("region " + region.name(),
                   absl::StrCat("residual_mix: ", region.residual_mix(),
                                " gCO2e/kWh is not between 0 and 10000"));
      }
    }
    if (region.has_residual_mix() || region.has_transmission_loss()) {
      ContractRow& row = rows.emplace_back();
      row.region = region.name();
      if (region.has_residual_mix()) row.residual = region.residual_mix();
      if (region.has_transmission_loss()) row.loss = region.transmission_loss();
    }
    RETURN_IF_ERROR(add(region.clean_energy(), region.name(), ""));
  }
  for (const v1::SiteConfig& site : cluster.config.sites()) {
    RETURN_IF_ERROR(add(site.clean_energy(), site.region(), site.name()));
  }
  return rows;
}

}  // namespace ccsched
