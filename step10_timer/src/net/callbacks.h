#pragma once

#include <functional>

namespace reactor {

class Buffer;
class Connection;

/// The connection is up, or it is down: ask connected(). Once each.
using ConnectionCallback = std::function<void(Connection&)>;
/// Bytes have come; what is left in `input` is there again, with more behind it, next time.
using MessageCallback = std::function<void(Connection&, Buffer& input)>;

/// Whom the connections of one server or client call, in their loop's thread. Shared by them all,
/// set before the first, and never changed.
struct ConnectionCallbacks {
  /// Up, and once more when down: Connection::connected() tells which.
  ConnectionCallback connection = [](Connection&) {};
  /// Bytes have come.
  MessageCallback message = [](Connection&, Buffer&) {};
  ConnectionCallback closed = [](Connection&) {};  ///< For the owner, who lets go of it.
};

}  // namespace reactor
