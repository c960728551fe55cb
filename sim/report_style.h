// How reports look: the style sheet that each page carries.
// SPDX-License-Identifier: Apache-2.0
#ifndef CCSCHED_SIM_REPORT_STYLE_H_
#define CCSCHED_SIM_REPORT_STYLE_H_

namespace ccsched {

// A <style> element; light and dark, for a screen of any width.
extern const char kReportStyle[];

}  // namespace ccsched

#endif  // CCSCHED_SIM_REPORT_STYLE_H_
