// What it costs to wake a thread that sleeps in epoll_wait(2), with pipe(2), socketpair(2) and
// eventfd(2).
//
// usage: wakeup_bench [WAKEUPS]
//
// The columns:
//
//   wake-up      Two threads, each asleep in an epoll set of its own, wake each other in turn.
//                Microseconds from one write to the next: write, the other's return from
//                epoll_wait, its read. WAKEUPS is how many each thread gets in a round.
//   write+read   The same without a sleeper: what it costs to wake a loop that is busy. One thread
//                writes and reads; the epoll set watches, as it does in a loop, but nobody waits.
//   fds          Descriptors, the epoll set's not counted.
//   full after   How many wake-ups are taken, with nobody reading, until a write says EAGAIN.
//   KiB full     Kernel memory that they occupy then.
//   reads 8 B    1,000 wake-ups have come before the sleeper wakes: how often epoll_wait sends it
//   to reads 1 KiB  read before all is quiet again, with a buffer of 8 bytes and of 1 KiB.
//
// A wake-up is one byte, for eventfd the number 1 to be added to its counter. All descriptors are
// non-blocking: a writer that EAGAIN turns away loses nothing, since the sleeper has not read yet
// and will be woken. A blocking one would wait for the sleeper, for ever if it is itself. Of the
// 1,000, a socketpair takes what fits: each byte occupies a buffer of several hundred bytes.
//
// The times are medians of rounds, in which the three take turns, so that a machine that is busy
// for a while is so for all of them. All else is counted once. The program exits with 1, and says
// why, if a wake-up is lost or comes twice.

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <future>
#include <iomanip>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

constexpr int kDefaultWakeUps = 1'000;
constexpr int kRounds = 27;         // A multiple of three: see printTable().
constexpr int kBurst = 1'000;       // Wake-ups before the sleeper wakes.
constexpr size_t kSmallBuffer = 8;  // As much as a read of an eventfd needs.
constexpr size_t kLargeBuffer = 1024;
constexpr uint64_t kMaxCount = std::numeric_limits<uint64_t>::max() - 1;  // eventfd(2).
constexpr std::chrono::milliseconds kPatience{10'000};  // What has not come by then is lost.

template <typename Integer>
Integer check(Integer result, const char* call) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), call);
  return result;
}

void expect(bool asItShould, const char* complaint) {
  if (!asItShould) throw std::runtime_error(complaint);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }

 private:
  const int fd_;
};

// Something that any thread can wake one thread with, the sleeper, and the epoll set in which that
// one sleeps.
class Wakeup {
 public:
  virtual ~Wakeup() = default;
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  // Wakes the sleeper, or makes it not fall asleep. False for EAGAIN: there is no room for one
  // more.
  virtual bool wake() = 0;
  // Reads once, into a buffer of `size` bytes. Returns how many wake-ups that took.
  virtual uint64_t take(size_t size) = 0;
  // Wakes until there is no room, and returns how many wake-ups there are now.
  virtual uint64_t fill() = 0;
  // Kernel memory that the wake-ups occupy, once it is full.
  virtual int64_t bytesWhenFull() const = 0;
  virtual int descriptors() const = 0;

  // Sleeps until there is a wake-up to take. False if there is none for so long.
  bool wait(std::chrono::milliseconds patience) {
    epoll_event event;
    int n = 0;
    do {
      n = ::epoll_wait(epoll_.get(), &event, 1, static_cast<int>(patience.count()));
    } while (n < 0 && errno == EINTR);  // Somebody stopped and continued the program: signal(7).
    return check(n, "epoll_wait") == 1;
  }

  // Whether wait() would return at once.
  bool pending() { return wait(std::chrono::milliseconds::zero()); }

 protected:
  Wakeup() : epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}

  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }

  static bool write(int fd, const void* data, size_t size) {
    const ssize_t n = ::write(fd, data, size);
    if (n < 0 && errno == EAGAIN) return false;
    expect(check(n, "write") == static_cast<ssize_t>(size), "a write was cut short");
    return true;
  }

 private:
  Descriptor epoll_;
};

// Two descriptors; a wake-up is a byte that is written to one and read from the other.
class ByteStream : public Wakeup {
 public:
  bool wake() override { return write(writeEnd_.get(), "w", 1); }

  uint64_t take(size_t size) override {
    char bytes[kLargeBuffer];
    return static_cast<uint64_t>(check(::read(readEnd_.get(), bytes, size), "read"));
  }

  uint64_t fill() override {
    uint64_t count = 0;
    while (wake()) ++count;
    return count;
  }

  int descriptors() const override { return 2; }

 protected:
  struct Ends {
    int read;
    int write;
  };

  explicit ByteStream(Ends ends) : readEnd_(ends.read), writeEnd_(ends.write) {
    watch(readEnd_.get());
  }

  const Descriptor& writeEnd() const { return writeEnd_; }

 private:
  Descriptor readEnd_;
  Descriptor writeEnd_;
};

class Pipe : public ByteStream {
 public:
  Pipe() : ByteStream(open()) {}

  // A pipe is as large as it may grow, and bytes share its pages: pipe(7), "Pipe capacity".
  int64_t bytesWhenFull() const override {
    return check(::fcntl(writeEnd().get(), F_GETPIPE_SZ), "fcntl(F_GETPIPE_SZ)");
  }

 private:
  static Ends open() {
    int ends[2];
    check(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), "pipe2");
    return {ends[0], ends[1]};
  }
};

class SocketPair : public ByteStream {
 public:
  SocketPair() : ByteStream(open()) {}

  // For an AF_UNIX socket that is the memory of what is sent and not yet received, all included.
  int64_t bytesWhenFull() const override {
    int bytes = 0;
    check(::ioctl(writeEnd().get(), SIOCOUTQ, &bytes), "ioctl(SIOCOUTQ)");
    return bytes;
  }

 private:
  static Ends open() {
    int ends[2];
    check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), "socketpair");
    return {ends[0], ends[1]};
  }
};

// One descriptor and a counter; a read takes the whole count.
class EventFd : public Wakeup {
 public:
  EventFd() : fd_(check(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")) { watch(fd_.get()); }

  bool wake() override { return add(1); }

  uint64_t take(size_t size) override {
    char bytes[kLargeBuffer];
    uint64_t count = 0;
    expect(check(::read(fd_.get(), bytes, size), "read") == sizeof count, "no counter was read");
    std::memcpy(&count, bytes, sizeof count);
    return count;
  }

  // One by one that would take centuries: the last one has to do.
  uint64_t fill() override {
    expect(add(kMaxCount - 1) && wake() && !wake(), "an eventfd is not full where it should be");
    return kMaxCount;
  }

  int64_t bytesWhenFull() const override { return 0; }  // The counter is there from the start.
  int descriptors() const override { return 1; }

 private:
  bool add(uint64_t count) { return write(fd_.get(), &count, sizeof count); }

  Descriptor fd_;
};

template <typename Function>
double microseconds(Function function) {
  const auto start = std::chrono::steady_clock::now();
  function();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
      .count();
}

void wakeOther(Wakeup& other) { expect(other.wake(), "there was no room for the only wake-up"); }

void awaitOne(Wakeup& own) {
  expect(own.wait(kPatience), "a wake-up is lost: none came for 10 s");
  expect(own.take(kSmallBuffer) == 1, "more than one wake-up came");
}

// Microseconds per wake-up when two threads wake each other, `wakeUps` times each.
double pingPong(Wakeup& mine, Wakeup& others, int wakeUps) {
  std::future<void> other = std::async(std::launch::async, [&] {
    for (int i = 0; i < wakeUps + 1; ++i) {
      awaitOne(others);
      wakeOther(mine);
    }
  });
  const auto thereAndBack = [&] {
    wakeOther(others);
    awaitOne(mine);
  };
  thereAndBack();  // Now the other thread has started.
  const double took = microseconds([&] {
    for (int i = 0; i < wakeUps; ++i) thereAndBack();
  });
  other.get();
  expect(!mine.pending() && !others.pending(), "a wake-up came that nobody had sent");
  return took / (2.0 * wakeUps);
}

// Microseconds per wake-up when nobody sleeps.
double writeAndRead(Wakeup& wakeup, int wakeUps) {
  const double took = microseconds([&] {
    for (int i = 0; i < wakeUps; ++i) {
      wakeOther(wakeup);
      expect(wakeup.take(kSmallBuffer) == 1, "a wake-up is lost: not one was there to read");
    }
  });
  return took / wakeUps;
}

struct Drained {
  uint64_t wakeUps = 0;
  int reads = 0;
};

// Reads once per wait, as a loop does, until there is nothing to wait for.
Drained drain(Wakeup& wakeup, size_t bufferSize) {
  Drained drained;
  for (; wakeup.pending(); ++drained.reads) drained.wakeUps += wakeup.take(bufferSize);
  return drained;
}

// How many reads `kBurst` wake-ups take.
int readsForBurst(Wakeup& wakeup, size_t bufferSize) {
  uint64_t accepted = 0;
  for (int i = 0; i < kBurst; ++i) accepted += wakeup.wake() ? 1 : 0;
  const Drained drained = drain(wakeup, bufferSize);
  expect(drained.wakeUps == accepted, "a wake-up of a burst is lost");
  return drained.reads;
}

struct Capacity {
  uint64_t wakeUps;
  int64_t bytes;
};

// What fits, and that being full is not the end: the sleeper is woken, takes all and can be woken
// again.
Capacity capacity(Wakeup& wakeup) {
  Capacity full{};
  full.wakeUps = wakeup.fill();
  full.bytes = wakeup.bytesWhenFull();
  expect(wakeup.pending(), "a full one does not wake the sleeper");
  expect(drain(wakeup, kLargeBuffer).wakeUps == full.wakeUps, "a wake-up of a full one is lost");
  wakeOther(wakeup);
  awaitOne(wakeup);
  return full;
}

// One way to wake, and what is known of it.
struct Mechanism {
  const char* name;
  std::unique_ptr<Wakeup> mine;
  std::unique_ptr<Wakeup> others;
  std::vector<double> wakeUpTimes;
  std::vector<double> writeAndReadTimes;
};

template <typename Kind>
Mechanism mechanism(const char* name) {
  return {name, std::make_unique<Kind>(), std::make_unique<Kind>(), {}, {}};
}

void measureRound(Mechanism& mechanism, int wakeUps) {
  mechanism.wakeUpTimes.push_back(pingPong(*mechanism.mine, *mechanism.others, wakeUps));
  mechanism.writeAndReadTimes.push_back(writeAndRead(*mechanism.mine, wakeUps));
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::string withCommas(uint64_t count) {
  std::string text = std::to_string(count);
  for (size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

std::string withTwoDecimals(double value) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(2) << value;
  return text.str();
}

std::string row(const char* name, const std::vector<std::string>& cells) {
  std::ostringstream text;
  text << std::left << std::setw(10) << name << std::right;
  for (const std::string& cell : cells) text << std::setw(12) << cell;
  return text.str();
}

std::string row(const Mechanism& mechanism) {
  Wakeup& wakeup = *mechanism.mine;
  const Capacity full = capacity(wakeup);
  return row(
      mechanism.name,
      {withTwoDecimals(median(mechanism.wakeUpTimes)),
       withTwoDecimals(median(mechanism.writeAndReadTimes)), std::to_string(wakeup.descriptors()),
       full.wakeUps == kMaxCount ? "2^64-2" : withCommas(full.wakeUps),
       std::to_string(full.bytes / 1024), std::to_string(readsForBurst(wakeup, kSmallBuffer)),
       std::to_string(readsForBurst(wakeup, kLargeBuffer))});
}

void printTable(int wakeUps) {
  std::vector<Mechanism> mechanisms;
  mechanisms.push_back(mechanism<Pipe>("pipe"));
  mechanisms.push_back(mechanism<SocketPair>("socketpair"));
  mechanisms.push_back(mechanism<EventFd>("eventfd"));
  for (int round = 0; round < kRounds; ++round) {
    for (Mechanism& mechanism : mechanisms) measureRound(mechanism, wakeUps);
    // Who comes first is favoured where others wait for the processor: the first one is the last of
    // the next round.
    std::rotate(mechanisms.begin(), mechanisms.begin() + 1, mechanisms.end());
  }
  std::cout << "Microseconds per wake-up and per write+read, median of " << kRounds << " rounds of "
            << wakeUps << "\n\n"
            << row("", {"wake-up", "write+read", "fds", "full after", "KiB full", "reads 8 B",
                        "reads 1 KiB"})
            << std::endl;
  for (const Mechanism& mechanism : mechanisms) std::cout << row(mechanism) << std::endl;
}

std::optional<int> parseWakeUps(std::string_view text) {
  int wakeUps = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, wakeUps);
  if (error != std::errc() || stop != end || wakeUps < 1) return std::nullopt;
  return wakeUps;
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<int> wakeUps = argc > 1 ? parseWakeUps(argv[1]) : kDefaultWakeUps;
  if (argc > 2 || !wakeUps) {
    std::cerr << "usage: wakeup_bench [WAKEUPS]\n";
    return 2;
  }
  try {
    printTable(*wakeUps);
  } catch (const std::exception& error) {
    std::cerr << "wakeup_bench: " << error.what() << '\n';
    return 1;
  }
}
