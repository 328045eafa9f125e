#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <system_error>

#include "net/channel.h"
#include "net/inet_address.h"
#include "net/socket.h"
#include "net/timer_queue.h"

namespace reactor {

class EventLoop;

/// Connects to a server and tries again until it has succeeded, ever more slowly.
///
/// Used in its loop's thread. May be destroyed at any time but inside its own callbacks, where its
/// owner keeps it until the turn ends (EventLoop::runAtTurnEnd).
class Connector {
 public:
  static constexpr std::chrono::milliseconds kFirstRetryDelay{500};  ///< Doubled with each failure.
  static constexpr std::chrono::milliseconds kMaxRetryDelay{30'000};  ///< And never more than this.

  /// Takes over the connection.
  using NewConnectionCallback = std::function<void(Socket)>;
  /// An attempt has failed, for this reason; the next comes after `delay`, unless stop() is called.
  using RetryCallback = std::function<void(std::error_code, std::chrono::milliseconds delay)>;

  /// Does nothing before start().
  Connector(EventLoop& loop, const InetAddress& server) : loop_(loop), server_(server) {}
  ~Connector();
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  /// Both before start().
  void setNewConnectionCallback(NewConnectionCallback callback) {
    newConnectionCallback_ = std::move(callback);
  }
  /// Before start().
  void setRetryCallback(RetryCallback callback) { retryCallback_ = std::move(callback); }

  /// Connects now, unless it is at it; nothing is called back before this returns but the
  /// RetryCallback.
  void start();

  /// For a connection that was lost: connects after kFirstRetryDelay, and goes on from there.
  void restart();

  /// Gives up, whatever it is about to do. start() begins anew.
  void stop();

  /// Where it connects to.
  const InetAddress& server() const { return server_; }

 private:
  void connect();
  void handleDecided();
  Socket takeSocket();
  void retryLater();
  void retry(std::error_code error);

  EventLoop& loop_;
  const InetAddress server_;
  NewConnectionCallback newConnectionCallback_;
  RetryCallback retryCallback_ = [](std::error_code, std::chrono::milliseconds) {};
  std::optional<Socket> socket_;       ///< While an attempt is under way,
  std::unique_ptr<Channel> channel_;   ///< and watched for its outcome.
  std::optional<TimerId> retryTimer_;  ///< While the next attempt waits.
  std::chrono::milliseconds delay_ = kFirstRetryDelay;
};

}  // namespace reactor
