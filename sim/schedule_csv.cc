// Writes a schedule as CSV, one row for each stretch of running.
// SPDX-License-Identifier: Apache-2.0
#include "sim/schedule_csv.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "scheduler/base/csv.h"

namespace ccsched {
namespace {

constexpr size_t kFlushBytes = size_t{1} << 16;
constexpr int64_t kDayUs = 86'400'000'000;

void AppendDigits(uint64_t value, int digits, std::string& out) {
  char text[20];
  for (int i = digits - 1; i >= 0; --i) {
    text[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  out.append(text, digits);
}

}  // namespace

void AppendMicros(int64_t us, std::string& out) {
  int64_t day = us / kDayUs;
  if (us % kDayUs < 0) --day;
  uint64_t rest = static_cast<uint64_t>(us - day * kDayUs);
  const absl::CivilDay civil = absl::CivilDay(1970, 1, 1) + day;
  AppendDigits(static_cast<uint64_t>(civil.year()), 4, out);
  out += '-';
  AppendDigits(civil.month(), 2, out);
  out += '-';
  AppendDigits(civil.day(), 2, out);
  out += 'T';
  AppendDigits(rest / 3'600'000'000, 2, out);
  out += ':';
  AppendDigits(rest / 60'000'000 % 60, 2, out);
  out += ':';
  AppendDigits(rest / 1'000'000 % 60, 2, out);
  out += '.';
  AppendDigits(rest % 1'000'000, 6, out);
  out += 'Z';
}

void AppendDouble(double value, std::string& out) {
  char text[40];
  const auto [end, error] = std::to_chars(text, text + sizeof(text), value);
  static_cast<void>(error);
  out.append(text, end - text);
}

ScheduleCsv::ScheduleCsv(std::string path, std::FILE* file,
                         const Topology& topology)
    : path_(std::move(path)), file_(file), topology_(topology) {
  buffer_ =
      "job_id,segment,site,accelerator,count,start,end,overhead_s,co2e_g,"
      "lost_s\n";
}

std::string ScheduleCsv::PartOf(const std::string& path) {
  return path + ".part";
}

ScheduleCsv::~ScheduleCsv() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  std::remove(PartOf(path_).c_str());
}

absl::StatusOr<std::unique_ptr<ScheduleCsv>> ScheduleCsv::Create(
    const std::string& path, const Topology& topology) {
  std::FILE* file = std::fopen(PartOf(path).c_str(), "wb");
  if (file == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": can't be written: ", std::strerror(errno)));
  }
  return std::unique_ptr<ScheduleCsv>(new ScheduleCsv(path, file, topology));
}

void ScheduleCsv::OnStretch(const JobStretch& s) {
  const Pool& pool = topology_.pools[s.pool.value()];
  AppendCsvField(s.job_id, buffer_);
  buffer_ += ',';
  buffer_ += std::to_string(s.segment);
  buffer_ += ',';
  AppendCsvField(topology_.sites[pool.site.value()].name, buffer_);
  buffer_ += ',';
  AppendCsvField(topology_.accelerators[pool.accelerator.value()], buffer_);
  buffer_ += ',';
  buffer_ += std::to_string(s.count);
  buffer_ += ',';
  AppendMicros(s.start_us, buffer_);
  buffer_ += ',';
  AppendMicros(s.end_us, buffer_);
  buffer_ += ',';
  AppendDouble(static_cast<double>(s.overhead_us) / 1e6, buffer_);
  buffer_ += ',';
  AppendDouble(s.co2e.value(), buffer_);
  buffer_ += ',';
  AppendDouble(static_cast<double>(s.lost_us) / 1e6, buffer_);
  buffer_ += '\n';
  if (buffer_.size() >= kFlushBytes) Flush();
}

void ScheduleCsv::Flush() {
  failed_ |=
      std::fwrite(buffer_.data(), 1, buffer_.size(), file_) != buffer_.size();
  buffer_.clear();
}

absl::Status ScheduleCsv::Close() {
  Flush();
  failed_ |= std::fclose(file_) != 0;
  file_ = nullptr;
  failed_ = failed_ || std::rename(PartOf(path_).c_str(), path_.c_str()) != 0;
  if (!failed_) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(path_, ": can't be written: ", std::strerror(errno)));
}

}  // namespace ccsched
