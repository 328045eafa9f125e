#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstring>
#include <iomanip>
#include <iostream>
#include <memory>
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
  uint32_t messages = 100;
  size_t size = 64;
  double rate = 10;
  double timeoutSeconds = 10;
  Checksum checksum = Checksum::kCrc32;
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
        sent_(options.senders) {
    const InetAddress server = InetAddress::resolve(options.host, options.port);
    clients_.resize(options.clients);
    for (size_t i = 0; i < clients_.size(); ++i) makeClient(i, server);
    for (size_t i = 0; i < std::min(kConnectingAtOnce, clients_.size()); ++i) connectNext();
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
  void startProbing();
  void startSending();
  void sendStamp(size_t client, const Stamp& stamp);
  void sendNext(size_t sender);
  void reportProgress();
  void fail(const std::string& why);
  void close();

  uint64_t expected() const {
    return uint64_t{options_.clients} * options_.senders * options_.messages;
  }

  EventLoop& loop_;
  const LoadOptions options_;
  const LengthCodec codec_;
  std::vector<Client> clients_;
  std::vector<uint32_t> sent_;  ///< By each sender.
  Phase phase_ = Phase::kConnecting;
  size_t started_ = 0;
  size_t connected_ = 0;
  size_t joined_ = 0;
  uint64_t disordered_ = 0;
  uint64_t lastDelivered_ = 0;  ///< A second ago, like
  size_t lastReady_ = 0;        ///< connected_ and joined_.
  double quietSeconds_ = 0;
  std::string failure_;
  Clock::time_point sendingSince_;
  Clock::time_point lastDelivery_;
  LatencyHistogram latencies_;
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
    return connectNext();
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
  lastDelivery_ = Clock::now();
  latencies_.add(lastDelivery_.time_since_epoch() - std::chrono::nanoseconds(stamp.sentAt));
  uint32_t& next = clients_[index].next[stamp.sender];
  if (stamp.sequence != next) ++disordered_;
  next = stamp.sequence + 1;
  if (options_.rate == 0 && index == stamp.sender) sendNext(stamp.sender);
  if (latencies_.count() == expected()) close();
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

void ChatLoad::sendNext(size_t sender) {
  if (phase_ != Phase::kSending || sent_[sender] == options_.messages) return;
  Stamp stamp;
  stamp.sender = static_cast<uint32_t>(sender);
  stamp.sequence = sent_[sender]++;
  sendStamp(sender, stamp);
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
  const uint64_t delivered = latencies_.count();
  if (phase_ == Phase::kSending) {
    std::cerr << "chat_load: " << delivered << " of " << expected() << " deliveries, "
              << delivered - lastDelivered_ << "/s" << std::endl;
  }
  const bool quiet = delivered == lastDelivered_ && connected_ + joined_ == lastReady_;
  quietSeconds_ = quiet ? quietSeconds_ + 1 : 0;
  lastDelivered_ = delivered;
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

std::string formatted(std::chrono::nanoseconds latency) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(3) << static_cast<double>(latency.count()) / 1e6 << " ms";
  return text.str();
}

int ChatLoad::report() const {
  const uint64_t delivered = latencies_.count();
  if (delivered == 0 && !failure_.empty()) throw std::runtime_error(failure_);
  const std::chrono::duration<double> elapsed = lastDelivery_ - sendingSince_;
  std::cout << "clients " << options_.clients << ", senders " << options_.senders
            << ", messages each " << options_.messages << ", bytes "
            << std::max(options_.size, sizeof(Stamp)) << '\n'
            << "delivered  " << delivered << " of " << expected();
  if (delivered > 0) {
    std::cout << ", " << static_cast<uint64_t>(static_cast<double>(delivered) / elapsed.count())
              << "/s\n";
    for (const double percent : {50.0, 90.0, 99.0, 99.9}) {
      std::cout << 'p' << std::left << std::setw(10) << percent
                << formatted(latencies_.percentile(percent)) << '\n';
    }
    std::cout << "max        " << formatted(latencies_.max());
  }
  std::cout << '\n'
            << "lost       " << expected() - std::min(delivered, expected()) << '\n'
            << "disordered " << disordered_ << std::endl;
  if (!failure_.empty()) throw std::runtime_error(failure_);
  return delivered == expected() && disordered_ == 0 ? 0 : 1;
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
