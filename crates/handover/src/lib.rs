//! Hands a running application over to its successor: state, the right to write, the listening socket.
