//! Readers and writers that are slow or broken. Refuses to know what is read and written.

use std::io::{self, Read, Seek, SeekFrom, Write};

/// Reads or writes one byte at a time, and is interrupted before each.
pub(crate) struct Drip<T> {
    inner: T,
    interrupts: bool,
}

impl<T> Drip<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            inner,
            interrupts: false,
        }
    }

    pub(crate) fn into_inner(self) -> T {
        self.inner
    }

    fn pause(&mut self) -> io::Result<()> {
        self.interrupts = !self.interrupts;
        if self.interrupts {
            Err(io::ErrorKind::Interrupted.into())
        } else {
            Ok(())
        }
    }
}

impl<T: Read> Read for Drip<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.pause()?;
        let length = buffer.len().min(1);
        self.inner.read(&mut buffer[..length])
    }
}

impl<T: Seek> Seek for Drip<T> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

impl<T: Write> Write for Drip<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pause()?;
        self.inner.write(&bytes[..bytes.len().min(1)])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Fails at the first use.
pub(crate) struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("broken"))
    }
}

impl Seek for Broken {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Err(io::Error::other("broken"))
    }
}

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Fails after so many more bytes, in reading or in writing.
pub(crate) struct Until<T> {
    pub(crate) inner: T,
    pub(crate) left: usize,
}

impl<T: Read> Read for Until<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other("broken"));
        }
        let length = buffer.len().min(self.left);
        let read = self.inner.read(&mut buffer[..length])?;
        self.left -= read;
        Ok(read)
    }
}

impl<T: Seek> Seek for Until<T> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

impl<T: Write> Write for Until<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let written = self.inner.write(&bytes[..bytes.len().min(self.left)])?;
        self.left -= written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
