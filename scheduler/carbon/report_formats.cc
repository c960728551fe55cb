// The formats that others read emissions in, from rows of a report.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/carbon/report_formats.h"

#include <algorithm>
#include <cstddef>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "scheduler/base/csv.h"
#include "scheduler/base/units.h"
#include "scheduler/carbon/mlperf.h"
#include "scheduler/carbon/utc.h"

namespace ccsched {
namespace {

// Without an exponent up to 1e15, which strict readers of CSV trip over.
std::string Number(double v) { return absl::StrFormat("%.15g", v); }
std::string Number(std::optional<double> v, double factor = 1) {
  return v ? Number(*v * factor) : std::string();
}

// An entry without a time of its own has the epoch.
std::string TimeOrEmpty(absl::Time t) {
  return t == absl::Time() ? "" : FormatUtc(t);
}

std::string YamlText(const std::string& text) {
  return absl::StrCat(
      "\"",
      absl::StrReplaceAll(text,
                          {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}}),
      "\"");
}

// "8 × V100", the distinct ones of all entries.
std::string Hardware(absl::Span<const ReportEntry> entries) {
  std::set<std::string> all;
  for (const ReportEntry& e : entries) {
    if (e.accelerator.empty()) continue;
    all.insert(e.accelerators == 0
                   ? e.accelerator
                   : absl::StrCat(e.accelerators, " x ", e.accelerator));
  }
  return absl::StrJoin(all, ", ");
}

std::string Places(absl::Span<const ReportEntry> entries) {
  std::set<std::string> all;
  for (const ReportEntry& e : entries) {
    const std::string& place = e.country.empty() ? e.region : e.country;
    if (!place.empty()) all.insert(place);
  }
  return absl::StrJoin(all, ", ");
}

std::optional<double> MeanWatts(const ReportEntry& e) {
  const double hours = absl::ToDoubleHours(e.running);
  if (!e.energy_kwh || hours <= 0) return std::nullopt;
  return *e.energy_kwh / e.pue * 1000 / hours;
}

std::string Amount(double grams) {
  if (grams >= 1e6) return absl::StrFormat("%.4g t", grams / 1e6);
  if (grams >= 1e3) return absl::StrFormat("%.4g kg", grams / 1e3);
  return absl::StrFormat("%.4g g", grams);
}

}  // namespace

std::string CodeCarbonCsv(absl::Span<const ReportEntry> entries) {
  std::string csv =
      "timestamp,project_name,run_id,experiment_id,duration,emissions,"
      "emissions_rate,cpu_power,gpu_power,ram_power,cpu_energy,gpu_energy,"
      "ram_energy,energy_consumed,water_consumed,country_name,"
      "country_iso_code,region,cloud_provider,cloud_region,os,python_version,"
      "codecarbon_version,cpu_count,cpu_model,gpu_count,gpu_model,longitude,"
      "latitude,ram_total_size,tracking_mode,cpu_utilization_percent,"
      "gpu_utilization_percent,ram_utilization_percent,ram_used_gb,on_cloud,"
      "pue,wue\n";
  for (const ReportEntry& e : entries) {
    const double seconds = absl::ToDoubleSeconds(e.running);
    std::optional<double> rate;
    if (e.co2e_g && seconds > 0) rate = *e.co2e_g / 1000 / seconds;
    // The figures are those of the accelerators with their share of the host,
    // so cpu and ram have none of their own.
    const std::string gpus =
        e.accelerators == 0 ? std::string() : absl::StrCat(e.accelerators);
    csv += CsvLine(
        {absl::FormatTime("%Y-%m-%dT%H:%M:%S", e.end, absl::UTCTimeZone()),
         e.project.empty() ? e.name : e.project,
         e.id,
         e.name,
         Number(seconds),
         Number(e.co2e_g, 1e-3),
         Number(rate),
         "",
         Number(MeanWatts(e)),
         "",
         "",
         Number(e.energy_kwh),
         "",
         Number(e.energy_kwh),
         "",
         e.country,
         e.country_code,
         e.region,
         "",
         "",
         "",
         "",
         "ccsched",
         "",
         "",
         gpus,
         e.accelerator,
         "",
         "",
         "",
         "process",
         "",
         "",
         "",
         "",
         "N",
         Number(e.pue),
         ""});
  }
  return csv;
}

std::string ModelCardSentence(const ReportEntry& e) {
  if (!e.energy_kwh || !e.co2e_g) {
    return absl::StrCat("The energy or the grid of ", e.name,
                        " is not known, so its emissions are not either.");
  }
  std::string s = absl::StrFormat("%s used %.6g kWh (%s, PUE %.4g included)",
                                  e.name, *e.energy_kwh, e.method, e.pue);
  const std::string hardware = Hardware({&e, 1});
  if (!hardware.empty()) absl::StrAppend(&s, " on ", hardware);
  if (!e.site.empty()) {
    absl::StrAppend(&s, " at ", e.site);
    if (!e.region.empty()) absl::StrAppend(&s, " (", e.region, ")");
  }
  const auto day = [](absl::Time t) {
    return absl::FormatTime("%Y-%m-%d", t, absl::UTCTimeZone());
  };
  absl::StrAppend(
      &s, day(e.start) == day(e.end)
              ? absl::StrCat(" on ", day(e.start))
              : absl::StrCat(" from ", day(e.start), " to ", day(e.end)));
  absl::StrAppendFormat(&s, " and emitted %s CO2e (location-based%s).",
                        Amount(*e.co2e_g),
                        e.estimated ? ", partly estimated" : "");
  if (e.baseline_co2e_g) {
    absl::StrAppendFormat(&s,
                          " The same energy used at once at the first site "
                          "that fitted would have emitted %s.",
                          Amount(*e.baseline_co2e_g));
  }
  return s;
}

absl::StatusOr<std::string> HuggingFaceCard(
    absl::Span<const ReportEntry> entries) {
  double grams = 0;
  for (const ReportEntry& e : entries) {
    if (!e.co2e_g) {
      return absl::FailedPreconditionError(absl::StrFormat(
          "the emission of %s %s is unknown: no card can be written of it",
          e.id.empty() ? "entry" : "job", e.id.empty() ? e.name : e.id));
    }
    grams += *e.co2e_g;
  }
  std::string card = absl::StrFormat(
      "---\nco2_eq_emissions:\n"
      "  emissions: %s\n"
      "  source: \"ccsched ledger, hourly location-based intensity\"\n"
      "%s"
      "  geographical_location: %s\n"
      "  hardware_used: %s\n"
      "---\n",
      Number(grams),
      entries.empty() || entries[0].training_type.empty()
          ? std::string()
          : absl::StrCat(
                "  training_type: ", YamlText(entries[0].training_type), "\n"),
      YamlText(Places(entries)), YamlText(Hardware(entries)));
  for (const ReportEntry& e : entries) {
    absl::StrAppend(&card, "\n", ModelCardSentence(e), "\n");
  }
  return card;
}

std::string GhgScope2Csv(absl::Span<const ReportEntry> entries) {
  std::string csv =
      "entity,site,region,period_start,period_end,electricity_kwh,"
      "scope2_location_based_tco2e,scope2_market_based_tco2e,"
      "location_based_method,market_based_method,estimated,"
      "scope3_category3_transmission_loss_kwh,"
      "scope3_category3_transmission_loss_tco2e\n";
  for (const ReportEntry& e : entries) {
    csv += CsvLine({e.name, e.site, e.region, TimeOrEmpty(e.start),
                    TimeOrEmpty(e.end), Number(e.energy_kwh),
                    Number(e.co2e_g, 1e-6), Number(e.net_co2e_g, 1e-6),
                    "hourly grid average",
                    e.net_co2e_g ? "hourly matched purchases; residual factor"
                                 : "no contractual data",
                    e.estimated ? "yes" : "no", Number(e.lost_kwh),
                    Number(e.lost_co2e_g, 1e-6)});
  }
  return csv;
}

absl::StatusOr<std::string> MlperfPowerLogs(
    absl::Span<const ReportEntry> entries) {
  std::string out;
  for (size_t k = 0; k < entries.size(); ++k) {
    const ReportEntry& e = entries[k];
    MlperfNode node;
    node.start = e.intervals.empty() ? e.start : e.intervals.front().start;
    node.stop = e.intervals.empty() ? e.end : e.intervals.back().end;
    for (const ReportInterval& i : e.intervals) {
      const absl::Duration length = i.end - i.start;
      if (!i.energy_kwh || length <= absl::ZeroDuration()) {
        node.readings.clear();
        break;
      }
      // A reading holds since the one before it: a pause is at no power.
      if (!node.readings.empty() && node.readings.back().at < i.start) {
        node.readings.push_back({i.start, Watts()});
      }
      const Watts power(*i.energy_kwh / i.pue.value_or(e.pue) * 1000 /
                        absl::ToDoubleHours(length));
      const int64_t least = 60;
      const int64_t count = std::max(
          least, absl::Ceil(length, absl::Seconds(1)) / absl::Seconds(1));
      for (int64_t r = 1; r <= count; ++r) {
        // The last one to the very end, which a division would fall short of.
        node.readings.push_back(
            {r == count ? i.end : i.start + length / count * r, power});
      }
    }
    if (node.readings.empty()) {
      return absl::FailedPreconditionError(absl::StrFormat(
          "the energy of job %s is not known hour by hour: no power log",
          e.id));
    }
    absl::StrAppend(&out, "# power/result_0/node_", k, ".txt (job ", e.id, ", ",
                    e.method, ", mean power of each interval)\n",
                    MlperfLog(node));
  }
  return out;
}

std::string ImpactFrameworkYaml(absl::Span<const ReportEntry> entries) {
  std::string yaml =
      "name: ccsched\n"
      "description: Operational carbon of jobs, hour by hour\n"
      "tags:\n"
      "aggregation:\n"
      "  metrics:\n"
      "    - carbon-operational\n"
      "  type: both\n"
      "initialize:\n"
      "  plugins: {}\n"
      "tree:\n"
      "  children:\n";
  for (const ReportEntry& e : entries) {
    absl::StrAppendFormat(
        &yaml, "    %s:\n      inputs:\n",
        YamlText(e.id.empty() ? e.name : absl::StrCat("job-", e.id)));
    for (const ReportInterval& i : e.intervals) {
      absl::StrAppendFormat(&yaml,
                            "        - timestamp: %s\n"
                            "          duration: %s\n",
                            YamlText(FormatUtc(i.start)),
                            Number(absl::ToDoubleSeconds(i.end - i.start)));
      const auto field = [&yaml](const char* name, std::optional<double> v) {
        if (v)
          absl::StrAppend(&yaml, "          ", name, ": ", Number(v), "\n");
      };
      field("energy", i.energy_kwh);
      field("grid/carbon-intensity", i.intensity);
      field("carbon-operational", i.co2e_g);
    }
  }
  return yaml;
}

absl::StatusOr<std::string> FormatReport(
    std::string_view format, absl::Span<const ReportEntry> entries) {
  if (format == "codecarbon") return CodeCarbonCsv(entries);
  if (format == "huggingface") return HuggingFaceCard(entries);
  if (format == "ghg") return GhgScope2Csv(entries);
  if (format == "mlperf") return MlperfPowerLogs(entries);
  if (format == "impact-framework") return ImpactFrameworkYaml(entries);
  return absl::InvalidArgumentError(absl::StrFormat(
      "format: \"%s\" is none of codecarbon, huggingface, ghg, mlperf, "
      "impact-framework",
      format));
}

}  // namespace ccsched
