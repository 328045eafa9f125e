#include "comparison.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <stdexcept>

#include "child_server.h"
#include "environment.h"
#include "stats.h"
#include "table.h"

namespace reactor::bench {

namespace {

using std::chrono::duration;
using std::chrono::steady_clock;

Sample measure(const Contestant& contestant, const RoundOptions& options,
               const MakeLoad& makeLoad) {
  const ChildServer server(contestant.command,
                           options.cores ? std::optional(options.cores->server) : std::nullopt);
  const auto load = makeLoad(server.port());
  load->run(duration<double>(options.warmUpSeconds));
  const auto cpuBefore = server.cpuTime();
  const auto begin = steady_clock::now();
  const auto count = static_cast<double>(load->run(duration<double>(options.seconds)));
  const duration<double> elapsed = steady_clock::now() - begin;
  const duration<double, std::micro> cpu = server.cpuTime() - cpuBefore;
  const auto spread = load->spread();
  load->finish();
  if (count == 0) throw std::runtime_error("nothing came back in the time of a round");
  return {count / elapsed.count(), cpu.count() / count, spread ? spread->count() : -1};
}

Summary summarizeMember(const std::vector<Sample>& samples, double Sample::*member) {
  std::vector<double> values;
  for (const Sample& sample : samples) values.push_back(sample.*member);
  return summarize(std::move(values));
}

}  // namespace

void RoundOptions::addTo(CLI::App& app) {
  app.add_option("--rounds", rounds, "Rounds; every server takes part in each")
      ->check(CLI::Range(1U, 1000U))
      ->capture_default_str();
  app.add_option("--seconds", seconds, "Seconds measured, for each server and round")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  app.add_option("--warm-up", warmUpSeconds, "Seconds of load before that")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  app.add_flag("--pin,!--no-pin", pin,
               "Give server and client a core each, if there are two (the default)");
}

void RoundOptions::pinClient() {
  if (pin) cores = twoCores();
  if (cores) pinTo(cores->client);
}

std::string RoundOptions::describe() const {
  std::string text =
      "medians of " + std::to_string(rounds) + " rounds of " + withDecimals(seconds, 1) + " s; ";
  if (!cores) return text + "not pinned to cores";
  return text + "server on core " + std::to_string(cores->server) + ", client on core " +
         std::to_string(cores->client);
}

Comparison::Comparison(std::string title, std::string unit, std::vector<Contestant> contestants,
                       std::vector<std::string> baselines)
    : title_(std::move(title)),
      unit_(std::move(unit)),
      contestants_(std::move(contestants)),
      baselines_(std::move(baselines)) {}

void Comparison::run(const RoundOptions& options, const MakeLoad& makeLoad, Progress& progress) {
  for (unsigned round = 0; round < options.rounds; ++round) {
    // Each round begins with another server: who comes after whom should not matter, but might.
    auto order = contestants_;
    std::rotate(order.begin(), order.begin() + round % order.size(), order.end());
    for (const Contestant& contestant : order) {
      const std::string what = title_ + ", round " + std::to_string(round + 1) + " of " +
                               std::to_string(options.rounds) + ", " + contestant.name;
      progress.begin(what);
      try {
        const Sample sample = measure(contestant, options, makeLoad);
        samples_[contestant.name].push_back(sample);
        progress.end(what + ": " + withThousands(sample.perSecond) + " " + unit_ + "/s");
      } catch (const Interrupted&) {
        throw;
      } catch (const std::exception& error) {
        throwIfInterrupted();  // Ctrl-C ends the server as well: that is not its fault.
        throw std::runtime_error(contestant.name + ": " + error.what());
      }
    }
  }
}

void Comparison::print(std::ostream& out) const {
  std::vector<std::string> header{title_, unit_ + "/s", "server us each"};
  const bool spreads = samples_.begin()->second.front().spreadMilliseconds >= 0;
  if (spreads) header.push_back("first to last ms");
  for (const std::string& baseline : baselines_) {
    header.push_back("to " + baseline);
    header.push_back("least..most");
  }
  Table table(std::move(header));
  for (const Contestant& contestant : contestants_) {
    const auto& samples = samples_.at(contestant.name);
    std::vector<std::string> row{
        contestant.name, withThousands(summarizeMember(samples, &Sample::perSecond).median),
        withDecimals(summarizeMember(samples, &Sample::serverMicroseconds).median, 2)};
    if (spreads) {
      row.push_back(withDecimals(summarizeMember(samples, &Sample::spreadMilliseconds).median, 2));
    }
    for (const std::string& baseline : baselines_) {
      const Summary ratio = summarize(ratios(contestant.name, baseline));
      row.push_back(withDecimals(ratio.median, 2));
      row.push_back(withDecimals(ratio.least, 2) + ".." + withDecimals(ratio.most, 2));
    }
    table.addRow(std::move(row));
  }
  table.print(out);
}

std::vector<double> Comparison::ratios(const std::string& name, const std::string& baseline) const {
  const auto& ours = samples_.at(name);
  const auto& theirs = samples_.at(baseline);
  std::vector<double> result;
  for (size_t round = 0; round < ours.size(); ++round) {
    result.push_back(ours[round].perSecond / theirs[round].perSecond);
  }
  return result;
}

}  // namespace reactor::bench
