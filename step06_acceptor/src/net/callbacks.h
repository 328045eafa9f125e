#pragma once

#include <functional>
#include <string_view>

namespace reactor {

class Connection;

/// The connection is up, or it is down: ask connected(). Once each.
using ConnectionCallback = std::function<void(Connection&)>;
/// Bytes have come: any number of them, wherever the sender's writes began and ended.
using MessageCallback = std::function<void(Connection&, std::string_view bytes)>;

/// Whom the connections of one server or client call, in their loop's thread. Shared by them all,
/// set before the first, and never changed.
struct ConnectionCallbacks {
  /// Up, and once more when down: Connection::connected() tells which.
  ConnectionCallback connection = [](Connection&) {};
  /// Bytes have come.
  MessageCallback message = [](Connection&, std::string_view) {};
  ConnectionCallback closed = [](Connection&) {};  ///< For the owner, who lets go of it.
};

}  // namespace reactor
