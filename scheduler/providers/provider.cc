// The services' requests: what is asked of each in one poll.
// SPDX-License-Identifier: Apache-2.0
#include "scheduler/providers/provider.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "scheduler/base/status.h"
#include "scheduler/providers/parsers.h"
#include "scheduler/wire/proto_time.h"

namespace ccsched {
namespace {

constexpr absl::Duration kPast = absl::Hours(48);

// What a provider needs, read from its configuration.
struct Settings {
  std::string url, zone, key, basis;
  bool cfe = false;
  const FactorSet* factors = nullptr;
  absl::Duration horizon;
};

std::string At(const char* format, absl::Time t) {
  return absl::FormatTime(format, t, absl::UTCTimeZone());
}
std::string Iso(absl::Time t) { return At("%Y-%m-%dT%H:%MZ", t); }

class ProviderBase : public Provider {
 public:
  ProviderBase(Settings settings, Fetcher fetcher)
      : settings_(std::move(settings)), fetcher_(std::move(fetcher)) {}

 protected:
  using Parse =
      std::function<absl::StatusOr<std::vector<GridUpdate>>(std::string_view)>;

  // Fetches, parses and adds to `result`; its first error stays.
  void Ask(HttpRequest request, const Parse& parse, PollResult* result) {
    const auto note = [result](const absl::Status& status) {
      // Nothing has changed since, or there is nothing yet: no trouble.
      if (absl::IsAlreadyExists(status) || status.ok()) return;
      if (result->status.ok()) result->status = status;
    };
    const absl::StatusOr<std::string> body = fetcher_.Get(std::move(request));
    if (!body.ok()) return note(body.status());
    absl::StatusOr<std::vector<GridUpdate>> updates = parse(*body);
    if (!updates.ok()) return note(updates.status());
    for (GridUpdate& u : *updates) result->updates.push_back(std::move(u));
  }

  const Settings& settings() const { return settings_; }
  Fetcher& fetcher() { return fetcher_; }

 private:
  const Settings settings_;
  Fetcher fetcher_;
};

class ElectricityMaps : public ProviderBase {
 public:
  using ProviderBase::ProviderBase;
  PollResult Poll(absl::Time now) override {
    PollResult result;
    Signal("carbon-intensity/history", "", true, now, &result);
    // The service has horizons of 6, 24, 48 and 72 hours.
    int hours = 72;
    for (const int h : {48, 24, 6}) {
      if (settings().horizon <= absl::Hours(h)) hours = h;
    }
    const std::string horizon = absl::StrCat("&horizonHours=", hours);
    Signal("carbon-intensity/forecast", horizon, false, now, &result);
    if (settings().cfe) {
      Signal("carbon-free-energy/history", "", true, now, &result);
      Signal("carbon-free-energy/forecast", horizon, false, now, &result);
    }
    return result;
  }

 private:
  void Signal(const char* what, const std::string& more, bool actual,
              absl::Time now, PollResult* result) {
    const Settings& s = settings();
    HttpRequest request;
    request.url = absl::StrCat(
        s.url, "/", what, "?zone=", UrlEscape(s.zone),
        "&emissionFactorType=", s.basis.substr(s.basis.find('-') + 1),
        "&disableCallerLookup=true", more);
    request.headers = {{"auth-token", s.key}};
    const ElectricityMapsRequest asked = {
        {"", s.basis, now, std::nullopt}, s.zone, actual};
    Ask(
        std::move(request),
        [&asked](std::string_view body) {
          return ParseElectricityMaps(body, asked);
        },
        result);
  }
};

class WattTime : public ProviderBase {
 public:
  using ProviderBase::ProviderBase;
  PollResult Poll(absl::Time now) override {
    PollResult result;
    for (int attempt = 0; attempt < 2; ++attempt) {
      result = PollResult();
      if (absl::Status s = LogIn(now); !s.ok()) return {{}, s};
      const int hours = static_cast<int>(std::min<int64_t>(
          72, absl::Ceil(settings().horizon, absl::Hours(1)) / absl::Hours(1)));
      Signal("historical",
             absl::StrCat("&start=", Iso(now - kPast), "&end=", Iso(now)), true,
             now, &result);
      Signal("forecast", absl::StrCat("&horizon_hours=", hours), false, now,
             &result);
      if (!absl::IsUnauthenticated(result.status)) break;
      token_.clear();  // it ran out early: once more
    }
    return result;
  }

 private:
  absl::Status LogIn(absl::Time now) {
    if (!token_.empty() && now < token_until_) return absl::OkStatus();
    HttpRequest request;
    request.url = settings().url + "/login";
    request.user_password = settings().key;
    ASSIGN_OR_RETURN(const std::string body, fetcher().Get(std::move(request)));
    ASSIGN_OR_RETURN(token_, ParseWattTimeLogin(body));
    token_until_ = now + absl::Minutes(25);  // it is good for 30
    return absl::OkStatus();
  }
  void Signal(const char* what, const std::string& more, bool actual,
              absl::Time now, PollResult* result) {
    HttpRequest request;
    request.url = absl::StrCat(settings().url, "/v3/", what,
                               "?region=", UrlEscape(settings().zone),
                               "&signal_type=co2_moer", more);
    request.headers = {{"Authorization", "Bearer " + token_}};
    Ask(
        std::move(request),
        [&](std::string_view body) {
          return ParseWattTime(body, settings().zone, actual, now);
        },
        result);
  }

  std::string token_;
  absl::Time token_until_;
};

class GbCarbonIntensity : public ProviderBase {
 public:
  using ProviderBase::ProviderBase;
  PollResult Poll(absl::Time now) override {
    PollResult result;
    const bool national = settings().zone == "national";
    const std::string base =
        settings().url + (national ? "/intensity/" : "/regional/intensity/");
    const std::string of =
        national ? "" : "/regionid/" + UrlEscape(settings().zone);
    const auto ask = [&](const char* span) {
      HttpRequest request;
      request.url = base + Iso(now) + span + of;
      Ask(
          std::move(request),
          [now](std::string_view body) {
            return ParseGbCarbonIntensity(body, now);
          },
          &result);
    };
    if (national) {  // no region has actual values
      ask("/pt24h");
      // The forecasts of the past are not served as they were issued.
      std::erase_if(result.updates,
                    [](const GridUpdate& u) { return !u.actual; });
    }
    ask("/fw48h");
    return result;
  }
};

class CarbonAwareSdk : public ProviderBase {
 public:
  using ProviderBase::ProviderBase;
  PollResult Poll(absl::Time now) override {
    PollResult result;
    Signal(absl::StrCat(
               "/emissions/bylocations?location=", UrlEscape(settings().zone),
               "&time=", UrlEscape(Iso(now - kPast)),
               "&toTime=", UrlEscape(Iso(now))),
           true, now, &result);
    Signal(absl::StrCat("/emissions/forecasts/current?location=",
                        UrlEscape(settings().zone)),
           false, now, &result);
    return result;
  }

 private:
  void Signal(const std::string& path, bool actual, absl::Time now,
              PollResult* result) {
    HttpRequest request;
    request.url = settings().url + path;
    Ask(
        std::move(request),
        [&](std::string_view body) {
          return ParseCarbonAwareSdk(body, settings().zone, actual,
                                     {"", settings().basis, now, std::nullopt});
        },
        result);
  }
};

class Entsoe : public ProviderBase {
 public:
  using ProviderBase::ProviderBase;
  PollResult Poll(absl::Time now) override {
    PollResult result;
    HttpRequest request;
    request.url = absl::StrCat(settings().url,
                               "?securityToken=", UrlEscape(settings().key),
                               "&documentType=A75&processType=A16&in_Domain=",
                               UrlEscape(settings().zone),
                               "&periodStart=", At("%Y%m%d%H00", now - kPast),
                               "&periodEnd=", At("%Y%m%d%H00", now));
    Ask(
        std::move(request),
        [&](std::string_view body) {
          return ParseEntsoe(body, *settings().factors, now);
        },
        &result);
    return result;
  }
};

class Eia : public ProviderBase {
 public:
  using ProviderBase::ProviderBase;
  PollResult Poll(absl::Time now) override {
    constexpr int64_t kPageRows = 5000;
    constexpr int64_t kMostPages = 8;
    std::vector<std::string> pages;
    for (int64_t page = 0; page < kMostPages; ++page) {
      HttpRequest request;
      request.url = settings().url + "/electricity/rto/fuel-type-data/data/";
      request.headers = {
          {"X-Api-Key", settings().key},
          {"X-Params",
           absl::StrFormat(
               R"({"frequency":"hourly","data":["value"],"facets":)"
               R"({"respondent":["%s"]},"start":"%s","end":"%s","sort":)"
               R"([{"column":"period","direction":"asc"},)"
               R"({"column":"fueltype","direction":"asc"}],)"
               R"("offset":%d,"length":%d})",
               settings().zone, At("%Y-%m-%dT%H", now - 2 * kPast),
               At("%Y-%m-%dT%H", now), page * kPageRows, kPageRows)}};
      absl::StatusOr<std::string> body = fetcher().Get(std::move(request));
      if (absl::IsAlreadyExists(body.status())) return {};
      if (!body.ok()) return {{}, body.status()};
      const absl::StatusOr<int64_t> total = ParseEiaTotal(*body);
      if (!total.ok()) return {{}, total.status()};
      pages.push_back(*std::move(body));
      if ((page + 1) * kPageRows >= *total) break;
    }
    absl::StatusOr<std::vector<GridUpdate>> updates =
        ParseEia(pages, settings().zone, *settings().factors, now);
    if (!updates.ok()) return {{}, updates.status()};
    return {*std::move(updates), absl::OkStatus()};
  }
};

struct Service {
  const char* name;
  const char* url;    // "": must be configured
  const char* basis;  // "": by the factors
  bool key;
  std::unique_ptr<Provider> (*make)(Settings, Fetcher);
};

template <typename T>
std::unique_ptr<Provider> Make(Settings settings, Fetcher fetcher) {
  return std::make_unique<T>(std::move(settings), std::move(fetcher));
}

constexpr Service kServices[] = {
    {"electricity-maps", "https://api.electricitymaps.com/v4", "", true,
     Make<ElectricityMaps>},
    {"watttime", "https://api.watttime.org", "marginal-direct", true,
     Make<WattTime>},
    {"gb-carbon-intensity", "https://api.carbonintensity.org.uk",
     "average-direct", false, Make<GbCarbonIntensity>},
    {"carbon-aware-sdk", "", "", false, Make<CarbonAwareSdk>},
    {"entsoe", "https://web-api.tp.entsoe.eu/api", "", true, Make<Entsoe>},
    {"eia", "https://api.eia.gov/v2", "", true, Make<Eia>},
};

absl::Duration Or(bool has, const google::protobuf::Duration& d,
                  absl::Duration otherwise) {
  return has ? FromProto(d) : otherwise;
}

absl::StatusOr<Settings> ReadSettings(const Service& service,
                                      const v1::RegionConfig& region,
                                      const v1::ProviderConfig& config) {
  Settings s;
  s.zone = config.zone();
  s.url = config.url().empty() ? service.url : config.url();
  while (absl::EndsWith(s.url, "/")) s.url.pop_back();
  s.factors =
      config.factors() == "direct" ? &DirectFactors() : &LifecycleFactors();
  s.basis = *service.basis != '\0'           ? service.basis
            : config.factors() == "marginal" ? "marginal-direct"
                                             : std::string(s.factors->basis);
  s.cfe = config.cfe();
  if (s.cfe && service.name != std::string("electricity-maps")) {
    return absl::InvalidArgumentError(
        "cfe: only electricity-maps has the share as a signal of its own");
  }
  s.horizon = Or(config.has_horizon(), config.horizon(), absl::Hours(72));
  if (s.zone.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("zone: missing: the region as the service names it",
                     service.name == std::string("gb-carbon-intensity")
                         ? " (national, or 1 to 17)"
                         : ""));
  }
  if (s.zone.find_first_of("\"\\\r\n") != std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrFormat("zone: \"%s\" is no name", s.zone));
  }
  if (!absl::StartsWith(s.url, "https://") &&
      !absl::StartsWith(s.url, "http://")) {
    return absl::InvalidArgumentError(
        absl::StrFormat("url: \"%s\" is not of http or https", s.url));
  }
  const std::string& f = config.factors();
  if (!f.empty() && f != "lifecycle" && f != "direct" &&
      !(f == "marginal" && service.name == std::string("carbon-aware-sdk"))) {
    return absl::InvalidArgumentError(
        absl::StrFormat("factors: \"%s\" is neither lifecycle nor direct", f));
  }
  const std::string accounts =
      region.basis().empty() ? "average-lifecycle" : region.basis();
  if (s.basis != accounts && s.basis != region.decision_basis()) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "its values are %s; the region's basis is %s%s: two bases never mix "
        "(set basis or decision_basis)",
        s.basis, accounts,
        region.decision_basis().empty()
            ? ""
            : " and decides by " + region.decision_basis()));
  }
  if (service.key) {
    ASSIGN_OR_RETURN(s.key, ReadKey(config.key_env(), config.key_file()));
  }
  return s;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Provider>> MakeProvider(
    const v1::RegionConfig& region, const v1::ProviderConfig& config,
    const ProviderDeps& deps) {
  std::string names;
  for (const Service& service : kServices) {
    absl::StrAppend(&names, names.empty() ? "" : ", ", service.name);
    if (config.name() != service.name) continue;
    absl::StatusOr<Settings> settings = ReadSettings(service, region, config);
    if (!settings.ok()) {
      return absl::Status(
          settings.status().code(),
          absl::StrFormat("region %s: provider %s: %s", region.name(),
                          config.name(),
                          std::string(settings.status().message())));
    }
    FetchOptions options;
    options.timeout =
        Or(config.has_timeout(), config.timeout(), options.timeout);
    if (config.max_bytes() > 0) options.max_bytes = config.max_bytes();
    if (config.requests_per_hour() > 0) {
      options.requests_per_hour = static_cast<int>(config.requests_per_hour());
    }
    options.first_pause = deps.first_pause;
    options.stop = deps.stop;
    return service.make(
        *std::move(settings),
        Fetcher(deps.http, deps.clock, deps.pause, options, deps.seed));
  }
  return absl::InvalidArgumentError(
      absl::StrFormat("region %s: provider \"%s\" is none of %s", region.name(),
                      config.name(), names));
}

std::vector<v1::GridSeries> ToGridSeries(
    const std::string& region, const std::vector<GridUpdate>& updates) {
  std::vector<v1::GridSeries> all;
  const auto same = [](const v1::GridSeries& s, const GridUpdate& u) {
    return s.actual() == u.actual && FromProto(s.start()) == u.series.start() &&
           FromProto(s.step()) == u.series.step();
  };
  bool any_intensity = false;
  for (const GridSignal signal :
       {GridSignal::kIntensity, GridSignal::kCarbonFree}) {
    for (const GridUpdate& u : updates) {
      if (u.signal != signal) continue;
      const bool share = signal == GridSignal::kCarbonFree;
      any_intensity = any_intensity || !share;
      const auto it = std::find_if(all.begin(), all.end(),
                                   [&](const auto& s) { return same(s, u); });
      const auto& values = u.series.values();
      if (share && it != all.end() &&
          it->intensity_size() == static_cast<int>(values.size())) {
        it->mutable_cfe_pct()->Add(values.begin(), values.end());
        continue;
      }
      if (share && any_intensity) continue;
      v1::GridSeries& s = all.emplace_back();
      s.set_region(region);
      *s.mutable_start() = ToProto(u.series.start());
      *s.mutable_step() = ToProto(u.series.step());
      *s.mutable_issued() = ToProto(u.issued);
      s.set_source(u.source);
      if (!share) s.set_basis(u.basis);
      s.set_actual(u.actual);
      s.set_factors(u.factors);
      (share ? s.mutable_cfe_pct() : s.mutable_intensity())
          ->Add(values.begin(), values.end());
      if (std::find(u.estimated.begin(), u.estimated.end(), true) !=
          u.estimated.end()) {
        for (const bool e : u.estimated) s.add_estimated(e);
      }
    }
  }
  return all;
}

}  // namespace ccsched
