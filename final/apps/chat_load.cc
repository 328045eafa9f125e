#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstring>
#include <deque>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "codec/length_codec.h"
#include "latency_histogram.h"
#include "net/event_loop.h"
#include "net/tcp_client.h"
#include "program.h"

namespace reactor {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct LoadOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 9877;
  size_t clients = 1000;
  size_t senders = 10;
  uint32_t messages = 100;     ///< Of each sender; without meaning if there is a duration.
  double durationSeconds = 0;  ///< Above zero: senders send for so long, however much it is.
  double rampUpSeconds = 0;    ///< Clients come spread over so long; zero: as fast as they can.
  size_t size = 64;
  double rate = 10;
  double timeoutSeconds = 10;
  Checksum checksum = Checksum::kCrc32;
  bool json = false;
};

/// What a message of ours says. Anything behind it is padding.
struct Stamp {
  uint32_t magic = 0x6c6f6164;  // "load": others may be chatting, too.
  uint32_t sender = 0;
  uint32_t sequence = 0;  ///< From 0, for each sender.
  int64_t sentAt = 0;     ///< Clock, in nanoseconds: both ends are this process.
};

/// Many clients of a chat server, some of which send: measures how long each message takes to each
/// client, and that all come, once, and in order.
class ChatLoad {
 public:
  ChatLoad(EventLoop& loop, const LoadOptions& options)
      : loop_(loop),
        options_(options),
        codec_(LengthCodec::kDefaultMaxPayload, options.checksum),
        senders_(options.senders) {
    const InetAddress server = InetAddress::resolve(options.host, options.port);
    clients_.resize(options.clients);
    for (size_t i = 0; i < clients_.size(); ++i) makeClient(i, server);
    if (options_.rampUpSeconds > 0) {
      for (size_t i = 0; i < clients_.size(); ++i) {
        loop_.runAfter(share(options_.rampUpSeconds, i, clients_.size()),
                       [this] { connectNext(); });
      }
    } else {
      for (size_t i = 0; i < std::min(kConnectingAtOnce, clients_.size()); ++i) connectNext();
    }
    loop_.runEvery(seconds(1), [this] { reportProgress(); });
  }

  /// After the loop: 0 if every message came to every client.
  int report() const;

 private:
  /// To be connected is not to be in the chat: the server may not have accepted yet. So the first
  /// client sends probes until each one has received one.
  enum class Phase { kConnecting, kProbing, kSending, kClosing };

  struct Client {
    std::unique_ptr<TcpClient> tcp;
    bool joined = false;
    std::vector<uint32_t> next;  ///< For each sender: the sequence number that is to come.
    std::map<size_t, std::set<uint32_t>> skipped;  ///< By sender: what others have overtaken.
  };

  /// A message that has not reached all.
  struct Flight {
    Clock::time_point first;  ///< When it reached the first one.
    size_t received = 0;      ///< How many it has reached.
  };

  struct Sender {
    uint32_t sent = 0;
    std::deque<Flight> flights;  ///< Of the messages from sequence number `landed` on.
    uint32_t landed = 0;
  };

  static constexpr size_t kConnectingAtOnce = 100;  // Well below any backlog of listen(2).
  static constexpr milliseconds kProbeInterval{20};
  static constexpr uint32_t kProbe = UINT32_MAX;  // As sender.

  void makeClient(size_t index, const InetAddress& server);
  void connectNext();
  void handleConnection(Connection& connection);
  void handleMessages(size_t index, Connection& connection, Buffer& input);
  void handleProbe(Client& client);
  void handleStamp(size_t index, const Stamp& stamp);
  bool isNew(Client& client, const Stamp& stamp);
  void noteSpread(const Stamp& stamp);
  void startProbing();
  void startSending();
  void sendStamp(size_t client, const Stamp& stamp);
  void sendNext(size_t number);
  void stopSending();
  void closeIfAllHaveCome();
  void reportProgress();
  void printTable() const;
  void printJson() const;
  void fail(const std::string& why);
  void close();

  /// `index` of `count` parts of `total` seconds.
  static Clock::duration share(double total, size_t index, size_t count) {
    const double part = total * static_cast<double>(index) / static_cast<double>(count);
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(part));
  }

  bool hasDuration() const { return options_.durationSeconds > 0; }

  uint64_t sent() const {
    uint64_t sum = 0;
    for (const Sender& sender : senders_) sum += sender.sent;
    return sum;
  }

  /// Messages that there are to send; with a duration, those that were sent.
  uint64_t messages() const {
    return hasDuration() ? sent() : uint64_t{options_.senders} * options_.messages;
  }
  uint64_t expected() const { return messages() * options_.clients; }
  uint64_t delivered() const { return latencies_.count(); }
  uint64_t lost() const { return expected() - delivered(); }
  double deliveriesPerSecond() const {
    const std::chrono::duration<double> elapsed = lastDelivery_ - sendingSince_;
    return elapsed.count() > 0 ? static_cast<double>(delivered()) / elapsed.count() : 0;
  }

  EventLoop& loop_;
  const LoadOptions options_;
  const LengthCodec codec_;
  std::vector<Client> clients_;
  std::vector<Sender> senders_;
  Phase phase_ = Phase::kConnecting;
  size_t started_ = 0;
  size_t connected_ = 0;
  size_t joined_ = 0;
  uint64_t disordered_ = 0;  ///< Came after a later one.
  uint64_t duplicated_ = 0;
  bool sendingEnded_ = false;
  uint64_t lastDelivered_ = 0;  ///< A second ago, like
  size_t lastReady_ = 0;        ///< connected_ and joined_.
  double quietSeconds_ = 0;
  std::string failure_;
  Clock::time_point sendingSince_;
  Clock::time_point lastDelivery_;
  LatencyHistogram latencies_;
  LatencyHistogram spreads_;  ///< From the first to the last receiver of a message.
};

void ChatLoad::makeClient(size_t index, const InetAddress& server) {
  Client& client = clients_[index];
  client.next.resize(options_.senders);
  client.tcp = std::make_unique<TcpClient>(loop_, server);
  client.tcp->setConnectionCallback(
      [this](Connection& connection) { handleConnection(connection); });
  client.tcp->setMessageCallback([this, index](Connection& connection, Buffer& input) {
    handleMessages(index, connection, input);
  });
  client.tcp->setRetryCallback(
      [this](std::error_code error, milliseconds) { fail("cannot connect: " + error.message()); });
}

void ChatLoad::connectNext() {
  if (started_ < clients_.size() && failure_.empty()) clients_[started_++].tcp->connect();
}

void ChatLoad::handleConnection(Connection& connection) {
  if (connection.connected()) {
    ++connected_;
    if (connected_ == clients_.size()) startProbing();
    if (options_.rampUpSeconds == 0) connectNext();
    return;
  }
  --connected_;
  if (phase_ != Phase::kClosing) {
    const std::error_code reason = connection.closeReason();
    fail("lost a connection: " + (reason ? reason.message() : "closed by the server"));
  } else if (connected_ == 0) {
    loop_.quit();
  }
}

void ChatLoad::handleMessages(size_t index, Connection& connection, Buffer& input) {
  std::error_code error;
  while (const auto message = codec_.decode(input, error)) {
    Stamp stamp;
    if (message->size() < sizeof stamp) continue;
    const uint32_t magic = stamp.magic;
    std::memcpy(&stamp, message->data(), sizeof stamp);
    if (stamp.magic != magic) continue;
    if (stamp.sender == kProbe) handleProbe(clients_[index]);
    if (stamp.sender < options_.senders) handleStamp(index, stamp);
  }
  if (error) connection.close(error);
}

void ChatLoad::handleProbe(Client& client) {
  if (client.joined) return;
  client.joined = true;
  ++joined_;
  if (joined_ == clients_.size() && phase_ == Phase::kProbing) startSending();
}

void ChatLoad::handleStamp(size_t index, const Stamp& stamp) {
  if (!isNew(clients_[index], stamp)) {
    ++duplicated_;
    return;
  }
  lastDelivery_ = Clock::now();
  latencies_.add(lastDelivery_.time_since_epoch() - std::chrono::nanoseconds(stamp.sentAt));
  noteSpread(stamp);
  if (options_.rate == 0 && index == stamp.sender) sendNext(stamp.sender);
  closeIfAllHaveCome();
}

// False if it has come before.
bool ChatLoad::isNew(Client& client, const Stamp& stamp) {
  uint32_t& next = client.next[stamp.sender];
  if (stamp.sequence == next) {
    ++next;
    return true;
  }
  std::set<uint32_t>& skipped = client.skipped[stamp.sender];
  if (stamp.sequence > next) {
    while (next < stamp.sequence) skipped.insert(next++);
    ++next;
    return true;
  }
  if (skipped.erase(stamp.sequence) == 0) return false;
  ++disordered_;
  return true;
}

void ChatLoad::noteSpread(const Stamp& stamp) {
  Sender& sender = senders_[stamp.sender];
  // Sequence numbers that were never sent are not ours.
  if (stamp.sequence < sender.landed || stamp.sequence >= sender.sent) return;
  Flight& flight = sender.flights[stamp.sequence - sender.landed];
  if (flight.received++ == 0) flight.first = lastDelivery_;
  if (flight.received == clients_.size()) spreads_.add(lastDelivery_ - flight.first);
  while (!sender.flights.empty() && sender.flights.front().received == clients_.size()) {
    sender.flights.pop_front();
    ++sender.landed;
  }
}

void ChatLoad::startProbing() {
  phase_ = Phase::kProbing;
  loop_.runEvery(kProbeInterval, [this] {
    Stamp probe;
    probe.sender = kProbe;
    if (phase_ == Phase::kProbing) sendStamp(0, probe);
  });
}

void ChatLoad::startSending() {
  phase_ = Phase::kSending;
  sendingSince_ = Clock::now();
  std::cerr << "chat_load: " << connected_ << " clients connected" << std::endl;
  if (hasDuration()) {
    loop_.runAfter(share(options_.durationSeconds, 1, 1), [this] { stopSending(); });
  }
  for (size_t sender = 0; sender < options_.senders; ++sender) {
    if (options_.rate == 0) {
      sendNext(sender);
      continue;
    }
    const auto interval = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(1 / options_.rate));
    // Not all at the same moment: spread over one interval.
    const auto offset =
        interval * static_cast<int64_t>(sender) / static_cast<int64_t>(options_.senders);
    loop_.runAfter(offset, [this, sender, interval] {
      sendNext(sender);
      loop_.runEvery(interval, [this, sender] { sendNext(sender); });
    });
  }
}

void ChatLoad::sendNext(size_t number) {
  Sender& sender = senders_[number];
  if (phase_ != Phase::kSending || sendingEnded_) return;
  if (!hasDuration() && sender.sent == options_.messages) return;
  Stamp stamp;
  stamp.sender = static_cast<uint32_t>(number);
  stamp.sequence = sender.sent++;
  sender.flights.emplace_back();
  sendStamp(number, stamp);
}

void ChatLoad::stopSending() {
  sendingEnded_ = true;
  closeIfAllHaveCome();
}

void ChatLoad::closeIfAllHaveCome() {
  if (hasDuration() && !sendingEnded_) return;
  if (phase_ == Phase::kSending && delivered() == expected()) close();
}

void ChatLoad::sendStamp(size_t client, const Stamp& stamp) {
  Connection* connection = clients_[client].tcp->connection();
  if (connection == nullptr) return;
  Stamp stamped = stamp;
  stamped.sentAt = Clock::now().time_since_epoch().count();
  std::string message(std::max(options_.size, sizeof stamped), '.');
  std::memcpy(message.data(), &stamped, sizeof stamped);
  connection->send(codec_.encode(message));
}

void ChatLoad::reportProgress() {
  if (phase_ == Phase::kConnecting) {
    std::cerr << "chat_load: " << connected_ << " of " << clients_.size() << " clients connected"
              << std::endl;
  } else if (phase_ == Phase::kSending) {
    std::cerr << "chat_load: " << delivered() << " of " << expected() << " deliveries, "
              << delivered() - lastDelivered_ << "/s" << std::endl;
  }
  // Clients and messages that are yet to be made are not what we wait for.
  const bool waiting = phase_ == Phase::kConnecting
                           ? options_.rampUpSeconds == 0
                           : delivered() < sent() * clients_.size() || phase_ != Phase::kSending;
  const bool quiet = delivered() == lastDelivered_ && connected_ + joined_ == lastReady_;
  quietSeconds_ = waiting && quiet ? quietSeconds_ + 1 : 0;
  lastDelivered_ = delivered();
  lastReady_ = connected_ + joined_;
  if (quietSeconds_ >= options_.timeoutSeconds) fail("nothing has come for some time");
}

void ChatLoad::fail(const std::string& why) {
  if (!failure_.empty() || phase_ == Phase::kClosing) return;
  failure_ = why;
  close();
}

// Every connection is ended in good order: FIN, the server's FIN, and only then the loop.
void ChatLoad::close() {
  phase_ = Phase::kClosing;
  for (const Client& client : clients_) client.tcp->disconnect();
  if (connected_ == 0) loop_.quit();
  loop_.runAfter(seconds(5), [this] {
    if (failure_.empty()) failure_ = "the server does not close";
    loop_.quit();
  });
}

std::string inMilliseconds(std::chrono::nanoseconds time) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(3) << static_cast<double>(time.count()) / 1e6;
  return text.str();
}

constexpr double kPercents[] = {50, 90, 99, 99.9};

int ChatLoad::report() const {
  if (delivered() == 0 && !failure_.empty()) throw std::runtime_error(failure_);
  if (options_.json) {
    printJson();
  } else {
    printTable();
  }
  if (!failure_.empty()) throw std::runtime_error(failure_);
  return lost() == 0 && disordered_ == 0 && duplicated_ == 0 ? 0 : 1;
}

void ChatLoad::printTable() const {
  std::cout << "clients " << options_.clients << ", senders " << options_.senders << ", messages "
            << messages() << ", bytes " << std::max(options_.size, sizeof(Stamp)) << '\n'
            << "delivered  " << delivered() << " of " << expected() << ", "
            << static_cast<uint64_t>(deliveriesPerSecond()) << "/s\n"
            << "lost       " << lost() << '\n'
            << "duplicated " << duplicated_ << '\n'
            << "disordered " << disordered_ << "\n\n"
            << "ms         " << std::setw(14) << "to deliver" << std::setw(14) << "first to last"
            << '\n';
  const auto row = [](const std::string& name, auto delivery, auto spread) {
    std::cout << std::left << std::setw(11) << name << std::right << std::setw(14)
              << inMilliseconds(delivery) << std::setw(14) << inMilliseconds(spread) << '\n';
  };
  for (const double percent : kPercents) {
    std::ostringstream name;
    name << 'p' << percent;
    row(name.str(), latencies_.percentile(percent), spreads_.percentile(percent));
  }
  row("max", latencies_.max(), spreads_.max());
  std::cout << std::flush;
}

// Nothing but numbers under names that are fixed: there is nothing to escape.
void ChatLoad::printJson() const {
  const auto times = [](const LatencyHistogram& histogram) {
    std::ostringstream text;
    text << '{';
    for (const double percent : kPercents) {
      text << "\"p" << percent << "\": " << inMilliseconds(histogram.percentile(percent)) << ", ";
    }
    text << "\"max\": " << inMilliseconds(histogram.max()) << '}';
    return text.str();
  };
  std::cout << "{\"clients\": " << options_.clients << ", \"senders\": " << options_.senders
            << ", \"messages\": " << messages()
            << ", \"bytes\": " << std::max(options_.size, sizeof(Stamp))
            << ", \"expected\": " << expected() << ", \"delivered\": " << delivered()
            << ", \"deliveries_per_second\": " << static_cast<uint64_t>(deliveriesPerSecond())
            << ", \"lost\": " << lost() << ", \"duplicated\": " << duplicated_
            << ", \"disordered\": " << disordered_ << ", \"delivery_ms\": " << times(latencies_)
            << ", \"first_to_last_ms\": " << times(spreads_) << "}" << std::endl;
}

// A socket for each client, and some for the program itself.
void raiseDescriptorLimit(size_t clients) {
  constexpr rlim_t kOwn = 64;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= clients + kOwn) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < clients + kOwn) {
    throw std::runtime_error(std::to_string(clients) + " clients need as many descriptors; " +
                             std::to_string(limit.rlim_max) + " are allowed (see ulimit -n)");
  }
}

}  // namespace

}  // namespace reactor

int main(int argc, char** argv) {
  CLI::App app(
      "Loads a chat server: many clients, some of which send; measures how long messages\n"
      "take to every client and that all come, once and in order.",
      "chat_load");
  reactor::LoadOptions options;
  app.add_option("host", options.host, "Server")->capture_default_str();
  app.add_option("port", options.port, "Its port")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  app.add_option("-c,--clients", options.clients, "Connections")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("-s,--senders", options.senders, "How many of the clients send")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("-m,--messages", options.messages, "Messages of each sender")
      ->check(CLI::Range(1, 1'000'000'000))
      ->capture_default_str();
  app.add_option("-d,--duration", options.durationSeconds,
                 "Seconds to send for, instead of a number of messages; 0: that number")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option("--ramp-up", options.rampUpSeconds, "Seconds over which the clients come")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option("-b,--size", options.size, "Bytes of a message; 24 at least")
      ->check(CLI::Range(size_t{1}, reactor::LengthCodec::kDefaultMaxPayload))
      ->capture_default_str();
  app.add_option("-r,--rate", options.rate,
                 "Messages a second of each sender; 0: the next when the last one has come back")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option("--timeout", options.timeoutSeconds, "Give up after so many seconds without any")
      ->check(CLI::Range(1.0, 1e6))
      ->capture_default_str();
  app.add_flag("--json", options.json, "Print one JSON object instead of a table");
  reactor::addChecksumOption(app, options.checksum);
  return reactor::runProgram(app, argc, argv, [&] {
    if (options.senders > options.clients) {
      throw std::invalid_argument("more senders than clients: every sender is a client, too");
    }
    reactor::raiseDescriptorLimit(options.clients);
    reactor::EventLoop loop;
    reactor::ChatLoad load(loop, options);
    loop.loop();
    return load.report();
  });
}
