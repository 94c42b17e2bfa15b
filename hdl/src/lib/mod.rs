//! Components every design needs, one a file.
