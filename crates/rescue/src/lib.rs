//! Brings a good version back when no installed one starts: fetch and trust, without a window.
