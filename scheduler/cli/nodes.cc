// `ccsched nodes`, `drain` and `undrain`.
// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "scheduler/cli/commands.h"
#include "scheduler/cli/job_text.h"
#include "scheduler/cli/output.h"
#include "scheduler/wire/table.h"

namespace ccsched {
namespace {

struct NodesOptions {
  std::string site;
  std::string format = "table";
};
struct DrainOptions {
  std::string node, reason;
};

Record NodeRecord(const v1::NodeStatus& node) {
  Record r;
  r.Add("node", node.name());
  r.Add("site", node.site());
  r.Add("accelerator", node.accelerator());
  r.Add("accelerators", node.total());
  r.Add("busy", node.busy());
  r.Add("state", node.state());
  r.Add("reason", node.reason());
  r.Add("meter", node.meter());
  r.AddTime("last_heard", node.has_last_heard(), node.last_heard());
  r.AddList("jobs", node.jobs());
  r.Add("version", node.version());
  r.Add("container_runtime", node.container_runtime());
  return r;
}

void PrintTable(const v1::NodesResponse& response, Context& context) {
  Table table({{"NODE"},
               {"SITE"},
               {"ACCELERATORS"},
               {"BUSY", Align::kRight},
               {"STATE"},
               {"METER", Align::kLeft, 4},
               {"IMAGES", Align::kLeft, 5},
               {"LAST HEARD", Align::kLeft, 3},
               {"JOBS", Align::kLeft, 2},
               {"REASON", Align::kLeft, 1}});
  for (const v1::NodeStatus& node : response.nodes()) {
    std::vector<uint64_t> jobs(node.jobs().begin(), node.jobs().end());
    const bool more = jobs.size() > 8;
    if (more) jobs.resize(8);
    const Style style = node.state() == "up"     ? Style::kGreen
                        : node.state() == "lost" ? Style::kRed
                                                 : Style::kYellow;
    table.Add(
        {node.name(),
         node.site(),
         absl::StrCat(node.total(), " ", node.accelerator()),
         std::to_string(node.busy()),
         {node.state(), style},
         node.meter(),
         node.container_runtime().empty() ? "-" : node.container_runtime(),
         ShortTime(node.has_last_heard(), node.last_heard(), true),
         absl::StrCat(absl::StrJoin(jobs, ","), more ? ",…" : ""),
         node.reason()});
  }
  ShowTable(table, context);
}

int RunNodes(Context& context, const NodesOptions& o) {
  const auto response = context.client().Nodes(o.site);
  if (!response.ok()) return context.Fail(response.status());
  std::vector<Record> records;
  for (const v1::NodeStatus& node : response->nodes()) {
    records.push_back(NodeRecord(node));
  }
  if (o.format == "csv") {
    PrintCsv(context, NodeRecord({}), records);
  } else if (o.format == "json") {
    PrintJson(context.out, "nodes", {}, "nodes", records);
  } else {
    PrintTable(*response, context);
  }
  return kExitDone;
}

int RunDrain(Context& context, const DrainOptions& o, bool undrain) {
  v1::DrainRequest request;
  request.set_node(o.node);
  request.set_reason(o.reason);
  request.set_undrain(undrain);
  const absl::Status status = context.client().Drain(request);
  if (!status.ok()) return context.Fail(status);
  context.out << "Node " << o.node
              << (undrain ? " takes jobs again\n"
                          : " takes no new jobs; those on it run on\n");
  return kExitDone;
}

}  // namespace

void AddNodes(Command& root, Context& context) {
  auto nodes = std::make_shared<NodesOptions>();
  Command& list = root.Sub("nodes", "show nodes and what runs on them",
                           "  ccsched nodes\n  ccsched nodes --site oslo");
  list.Text("--site", "SITE", &nodes->site, "of this site");
  AddFormat(list, &nodes->format);
  list.OnRun([nodes, &context] { return RunNodes(context, *nodes); });

  auto drain = std::make_shared<DrainOptions>();
  Command& d = root.Sub("drain", "let a node take no new jobs",
                        "  ccsched drain oslo-1 --reason 'fan is broken'");
  d.Argument("NODE", &drain->node, true, "the node's name");
  d.Text("--reason", "TEXT", &drain->reason,
         "why; shown by 'ccsched nodes' (needed)");
  d.OnRun([drain, &context] {
    if (drain->reason.empty()) {
      return context.Wrong("drain: say why, by --reason TEXT");
    }
    return RunDrain(context, *drain, false);
  });

  auto undrain = std::make_shared<DrainOptions>();
  Command& u = root.Sub("undrain", "let a drained node take jobs again",
                        "  ccsched undrain oslo-1");
  u.Argument("NODE", &undrain->node, true, "the node's name");
  u.OnRun([undrain, &context] { return RunDrain(context, *undrain, true); });
}

}  // namespace ccsched
