//! The facts in a program's own header: ELF, PE and Mach-O. Refuses to judge them.

use anyhow::{Context as _, Result, bail};
use object::read::elf::{Dyn as _, ElfFile64, FileHeader as _, ProgramHeader as _};
use object::read::macho::{MachHeader as _, MachOFile64, Segment as _};
use object::read::pe::{ImageOptionalHeader as _, PeFile64};
use object::{Endianness, FileKind, LittleEndian, elf, macho, pe};

/// It may lie anywhere.
pub(super) const MOVES: u16 = pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE;
/// Anywhere in all of the address space.
pub(super) const MOVES_FAR: u16 = pe::IMAGE_DLLCHARACTERISTICS_HIGH_ENTROPY_VA;
/// Data is never run.
pub(super) const NO_DATA: u16 = pe::IMAGE_DLLCHARACTERISTICS_NX_COMPAT;
/// Jumps are guarded.
#[cfg(test)]
pub(super) const GUARDED: u16 = pe::IMAGE_DLLCHARACTERISTICS_GUARD_CF;

/// What a header says of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Facts {
    /// Each start may put it at another address.
    pub(super) moves: bool,
    /// Some of what can be written, the stack say, can be run too.
    pub(super) runs_data: bool,
    /// The table of other libraries' functions is filled before anything runs, and read-only from then on.
    pub(super) is_read_only: bool,
    /// It names folders in which libraries are looked for.
    pub(super) looks_elsewhere: bool,
    /// The program that loads it is named in it.
    pub(super) has_loader: bool,
    /// How many libraries it needs.
    pub(super) libraries: usize,
    /// Jumps are guarded.
    pub(super) guards_jumps: bool,
}

impl Facts {
    /// Reads the header of a program of 64 bits.
    pub(super) fn of(bytes: &[u8]) -> Result<Self> {
        match FileKind::parse(bytes).context("no header of a program was found")? {
            FileKind::Elf64 => of_elf(bytes),
            FileKind::Pe64 => of_pe(bytes),
            FileKind::MachO64 => of_mach_o(bytes),
            other => bail!("{other:?} is not a program of 64 bits"),
        }
    }
}

fn of_elf(bytes: &[u8]) -> Result<Facts> {
    let file = ElfFile64::<Endianness>::parse(bytes)?;
    let endian = file.endian();
    let header = file.elf_header();
    let (mut stack, mut mixed, mut relocated, mut has_loader) = (None, false, false, false);
    let (mut now, mut elsewhere, mut libraries, mut is_program) = (false, false, 0, false);
    for part in file.elf_program_headers() {
        let flags = part.p_flags(endian);
        let runs = flags & elf::PF_X != 0;
        match part.p_type(endian) {
            elf::PT_GNU_STACK => stack = Some(runs),
            elf::PT_GNU_RELRO => relocated = true,
            elf::PT_INTERP => has_loader = true,
            elf::PT_LOAD => mixed |= runs && flags & elf::PF_W != 0,
            elf::PT_DYNAMIC => {
                for entry in part.dynamic(endian, bytes)?.into_iter().flatten() {
                    let value: u64 = entry.d_val(endian);
                    match entry.tag32(endian) {
                        Some(elf::DT_BIND_NOW) => now = true,
                        Some(elf::DT_FLAGS) => now |= value & u64::from(elf::DF_BIND_NOW) != 0,
                        Some(elf::DT_FLAGS_1) => {
                            now |= value & u64::from(elf::DF_1_NOW) != 0;
                            is_program = value & u64::from(elf::DF_1_PIE) != 0;
                        }
                        Some(elf::DT_RPATH | elf::DT_RUNPATH) => elsewhere = true,
                        Some(elf::DT_NEEDED) => libraries += 1,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Ok(Facts {
        moves: header.e_type(endian) == elf::ET_DYN && is_program,
        // Without the entry the kernel lets the stack be run.
        runs_data: mixed || stack.unwrap_or(true),
        is_read_only: relocated && now,
        looks_elsewhere: elsewhere,
        has_loader,
        libraries,
        guards_jumps: false,
    })
}

fn of_pe(bytes: &[u8]) -> Result<Facts> {
    let file = PeFile64::parse(bytes)?;
    let flags = file.nt_headers().optional_header.dll_characteristics();
    let has = |flag: u16| flags & flag == flag;
    let mixed = file.section_table().iter().any(|section| {
        let both = pe::IMAGE_SCN_MEM_WRITE | pe::IMAGE_SCN_MEM_EXECUTE;
        section.characteristics.get(LittleEndian) & both == both
    });
    Ok(Facts {
        moves: has(MOVES | MOVES_FAR),
        runs_data: mixed || !has(NO_DATA),
        // The loader fills the table before anything runs, and protects it itself.
        is_read_only: true,
        looks_elsewhere: false,
        has_loader: true,
        libraries: file.import_table()?.map_or(Ok(0), |table| count(&table))?,
        guards_jumps: has(pe::IMAGE_DLLCHARACTERISTICS_GUARD_CF),
    })
}

fn count(table: &object::read::pe::ImportTable<'_>) -> Result<usize> {
    let mut libraries = table.descriptors()?;
    let mut count = 0;
    while libraries.next()?.is_some() {
        count += 1;
    }
    Ok(count)
}

fn of_mach_o(bytes: &[u8]) -> Result<Facts> {
    let file = MachOFile64::<Endianness>::parse(bytes)?;
    let endian = file.endian();
    let flags = file.macho_header().flags(endian);
    let (mut mixed, mut elsewhere, mut libraries) = (false, false, 0);
    let mut commands = file.macho_load_commands()?;
    while let Some(command) = commands.next()? {
        if let Some((segment, _)) = command.segment_64()? {
            let both = macho::VM_PROT_WRITE | macho::VM_PROT_EXECUTE;
            mixed |= segment.initprot(endian) & both == both;
        }
        libraries += usize::from(command.dylib()?.is_some());
        elsewhere |= command.cmd() == macho::LC_RPATH;
    }
    Ok(Facts {
        moves: flags & macho::MH_PIE != 0,
        runs_data: mixed || flags & macho::MH_ALLOW_STACK_EXECUTION != 0,
        // All tables of this kind are read-only once they are filled.
        is_read_only: true,
        looks_elsewhere: elsewhere,
        has_loader: true,
        libraries,
        guards_jumps: false,
    })
}

#[cfg(test)]
pub(super) mod tests {
    /// The shortest program for Windows with these flags: headers, and one empty part.
    pub(in super::super) fn windows_program(flags: u16) -> Vec<u8> {
        let mut bytes = vec![0; 0x40];
        bytes[..2].copy_from_slice(b"MZ");
        bytes[0x3c] = 0x40;
        bytes.extend_from_slice(b"PE\0\0");
        // For this machine, one part, and the length of what follows.
        bytes.extend_from_slice(&0x8664_u16.to_le_bytes());
        bytes.extend_from_slice(&1_u16.to_le_bytes());
        bytes.extend_from_slice(&[0; 12]);
        bytes.extend_from_slice(&240_u16.to_le_bytes());
        bytes.extend_from_slice(&0x22_u16.to_le_bytes());
        let mut rest = vec![0; 240];
        rest[..2].copy_from_slice(&0x20b_u16.to_le_bytes());
        rest[70..72].copy_from_slice(&flags.to_le_bytes());
        // How many tables follow.
        rest[108] = 16;
        bytes.extend(rest);
        bytes.extend([0; 40]);
        bytes
    }
}
