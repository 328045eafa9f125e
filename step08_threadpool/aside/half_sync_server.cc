// The server of a main thread and worker threads that tutorials teach ("half-sync/half-async",
// Schmidt and Cranor 1996): answers every message with the time and itself.
//
//   main thread       sleeps in epoll_wait(2) and hands out what is ready, nothing else
//   accepting thread  takes new connections
//   workers           take the next client that is ready: read, compute, write
//
// A message is its length, 4 bytes, big-endian, and its bytes, so echo_client can talk to it;
// `burn MILLISECONDS` costs that much computing first.
//
// usage: half_sync_server [-d] [-n] [-p PORT]
//   -d  becomes a daemon; prints the number of its process
//   -n  no time: answers with the message alone, as echo_server does
//
// What keeps it in order:
// - EPOLLONESHOT. Without it two workers get the same client as soon as more bytes come, and each
//   answers half a message. With it a client is reported once; who has answered it arms it again.
// - A worker reads once and what is left over makes the next event: a client that sends without end
//   keeps no worker for itself.
// - What the kernel does not take stays with the client until EPOLLOUT. No worker waits for one.
// - A client is a pointer in the epoll set, and the one who handles it may free it: no other event
//   can be on its way.
// - Signals are an event, too: a handler may not take a lock or destroy one (signal-safety(7)).
//
// What one loop per thread (apps/echo_server.cc) does better: here each request costs a queue, its
// lock, waking a sleeping thread, and one more system call to arm the client again; a client is
// served by another core each time, and its bytes travel from cache to cache; and one thread that
// does nothing but hand out is a limit for all. There a request is read, answered and written where
// its event comes, and workers are asked only for what is expensive.

#include <fcntl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <ctime>
#include <exception>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

#include "codec/length_codec.h"
#include "net/buffer.h"
#include "net/epoll.h"
#include "net/inet_address.h"
#include "net/socket.h"
#include "net/thread_pool.h"

namespace reactor {

namespace {

using std::chrono::milliseconds;

constexpr uint16_t kDefaultPort = 12345;
constexpr size_t kWorkers = 5;
constexpr size_t kReadSize = 64 * 1024;
// More output than this waits: the client is not read until it has taken some.
constexpr size_t kHighWaterMark = 1 << 20;
constexpr size_t kStampSize = 64;  // No time stamp is longer.
constexpr milliseconds kForever{-1};
constexpr milliseconds kUntilDescriptorsAreFree{100};

// How much computing `request` asks for: `burn MILLISECONDS`, or none.
milliseconds costOf(std::string_view request) {
  constexpr std::string_view kBurn = "burn ";
  int cost = 0;
  if (request.starts_with(kBurn)) {
    std::from_chars(request.data() + kBurn.size(), request.data() + request.size(), cost);
  }
  return milliseconds(std::clamp(cost, 0, 10'000));
}

void burn(milliseconds cost) {
  const auto end = std::chrono::steady_clock::now() + cost;
  while (std::chrono::steady_clock::now() < end) {
  }
}

std::string timeStamp() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  char text[kStampSize];
  return {text, std::strftime(text, sizeof text, "[%Y-%m-%d %H:%M:%S]server reply: ", &local)};
}

struct Client {
  explicit Client(Socket accepted) : socket(std::move(accepted)) {}

  Socket socket;
  std::mutex mutex;  // Guards what follows.
  Buffer input;
  Buffer output;
  bool ended = false;  // It has sent end of file.
};

// SIGINT and SIGTERM as something to read; for all threads that start from now on.
FileDescriptor watchSignals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  FileDescriptor fd(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
  if (fd.get() < 0) throwErrno("signalfd");
  return fd;
}

class HalfSyncServer {
 public:
  HalfSyncServer(Socket listener, bool stamped)
      : stamped_(stamped), listener_(std::move(listener)), signals_(watchSignals()) {
    epoll_.add(listener_.fd(), EPOLLIN | EPOLLONESHOT, {.ptr = &listener_});
    epoll_.add(signals_.get(), EPOLLIN, {.ptr = &signals_});
  }

  // Until SIGINT or SIGTERM. Requests that a worker has begun are still answered.
  void run() {
    while (true) {
      for (const epoll_event& event : epoll_.wait(kForever)) {
        if (event.data.ptr == &signals_) return;
        if (event.data.ptr == &listener_) {
          accepting_.run([this] { acceptAll(); });
        } else {
          workers_.run([this, client = static_cast<Client*>(event.data.ptr)] { serve(*client); });
        }
      }
    }
  }

 private:
  void acceptAll() {
    while (true) {
      InetAddress peer;
      std::error_code error;
      std::optional<Socket> socket = listener_.accept(peer, error);
      if (socket) {
        add(std::move(*socket));
      } else if (error == errnoCode(EMFILE) || error == errnoCode(ENFILE)) {
        std::this_thread::sleep_for(kUntilDescriptorsAreFree);  // Nobody waits for this thread.
        break;
      } else if (error != errnoCode(EINTR) && error != errnoCode(ECONNABORTED)) {
        break;
      }
    }
    epoll_.modify(listener_.fd(), EPOLLIN | EPOLLONESHOT, {.ptr = &listener_});
  }

  void add(Socket socket) {
    auto client = std::make_unique<Client>(std::move(socket));
    Client& added = *client;
    {
      const std::lock_guard lock(mutex_);
      clients_.emplace(&added, std::move(client));
    }
    try {
      epoll_.add(added.socket.fd(), EPOLLIN | EPOLLONESHOT, {.ptr = &added});
    } catch (const std::system_error&) {  // Out of memory, or of watches: epoll_ctl(2).
      drop(added);
    }
  }

  // In a worker, and for one client in one worker at a time.
  void serve(Client& client) {
    if (!serveAndArm(client)) drop(client);
  }

  bool serveAndArm(Client& client) {
    // EPOLLONESHOT sees to it that nobody else is here. But C++ knows nothing of what the kernel
    // puts in order: what one worker has written, the next one sees thanks to a lock.
    const std::lock_guard lock(client.mutex);
    if (!receive(client) || !answerAll(client) || !sendOutput(client)) return false;
    const uint32_t events = wanted(client);
    if (events == 0) return false;
    epoll_.modify(client.socket.fd(), events | EPOLLONESHOT, {.ptr = &client});
    return true;
  }

  // What to wait for; 0: nothing more will happen.
  static uint32_t wanted(const Client& client) {
    uint32_t events = 0;
    if (!client.ended && client.output.size() <= kHighWaterMark) events |= EPOLLIN;
    if (!client.output.empty()) events |= EPOLLOUT;
    return events;
  }

  // These return false if the client is to be dropped.

  bool receive(Client& client) {
    if (client.ended || client.output.size() > kHighWaterMark) return true;
    const ssize_t n = client.input.receiveFrom(client.socket.fd(), kReadSize);
    client.ended = n == 0;
    return n >= 0 || errno == EAGAIN || errno == EINTR;
  }

  bool answerAll(Client& client) {
    std::error_code error;
    while (const auto request = requests_.decode(client.input, error)) {
      burn(costOf(*request));
      std::string reply = stamped_ ? timeStamp() : std::string();
      client.output.append(replies_.encode(reply.append(*request)));
    }
    client.input.shrink();
    return !error;
  }

  bool sendOutput(Client& client) {
    if (client.output.empty()) return true;
    const ssize_t n = client.output.sendTo(client.socket.fd());
    client.output.shrink();
    return n >= 0 || errno == EAGAIN || errno == EINTR;
  }

  void drop(Client& client) {
    const std::lock_guard lock(mutex_);
    clients_.erase(&client);
  }

  const bool stamped_;
  const LengthCodec requests_;
  const LengthCodec replies_{LengthCodec::kDefaultMaxPayload + kStampSize};
  Epoll epoll_;
  Socket listener_;
  FileDescriptor signals_;
  std::mutex mutex_;
  std::unordered_map<Client*, std::unique_ptr<Client>> clients_;  // Guarded by mutex_.
  ThreadPool accepting_{1};
  ThreadPool workers_{kWorkers};  // The last one here, so that they end before what they use.
};

// The caller gets its prompt back, and what it does to its terminal does not concern us any more:
// daemon(7), "SysV daemons". Before any thread starts: fork(2) takes only the one that calls it.
void becomeDaemon() {
  const pid_t daemon = ::fork();
  if (daemon < 0) throwErrno("fork");
  if (daemon > 0) {
    std::cout << "process " << daemon << std::endl;
    ::_exit(0);
  }
  if (::setsid() < 0) throwErrno("setsid");
  if (::chdir("/") < 0) throwErrno("chdir");  // Keeps no file system from being unmounted.
  const FileDescriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (nothing.get() < 0) throwErrno("open /dev/null");
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing.get(), fd);
}

struct Options {
  uint16_t port = kDefaultPort;
  bool daemon = false;
  bool stamped = true;
};

// Nothing if the command line is not understood.
std::optional<Options> parseOptions(int argc, char** argv) {
  Options options;
  opterr = 0;  // The usage says it all.
  for (int option; (option = ::getopt(argc, argv, "dnp:")) != -1;) {
    if (option == '?') return std::nullopt;
    if (option == 'd') options.daemon = true;
    if (option == 'n') options.stamped = false;
    if (option == 'p') options.port = parsePort(optarg);
  }
  if (optind < argc) return std::nullopt;
  return options;
}

}  // namespace
}  // namespace reactor

int main(int argc, char** argv) {
  using namespace reactor;
  try {
    const std::optional<Options> options = parseOptions(argc, argv);
    if (!options) {
      std::cerr << "usage: half_sync_server [-d] [-n] [-p PORT]\n";
      return 2;
    }
    const InetAddress address = InetAddress::resolve("127.0.0.1", options->port);
    Socket listener = Socket::create(address.family());
    listener.setReuseAddr();
    listener.bind(address);
    listener.listen();
    std::cout << "listening on " << listener.localAddress().toString() << std::endl;
    if (options->daemon) becomeDaemon();
    HalfSyncServer(std::move(listener), options->stamped).run();
  } catch (const std::exception& error) {
    std::cerr << "half_sync_server: " << error.what() << '\n';
    return 1;
  }
}
