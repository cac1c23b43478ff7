//! The encoders against what the programs that they stand for made of the same bytes.

use super::{Encoder, Maker, Settings, Trailer};

/// Words, noise, zeros, and words again: 260,000 bytes, so that the window slides and blocks of each kind
/// come.
fn sample() -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 11
    };
    let mut sample = Vec::new();
    while sample.len() < 150_000 {
        let word = next() % 700;
        sample.extend_from_slice(format!("{:x} ", word * word * 97).as_bytes());
    }
    sample.truncate(150_000);
    sample.extend(std::iter::repeat_with(|| next() as u8).take(40_000));
    sample.resize(220_000, 0);
    sample.extend_from_within(100_000..140_000);
    sample
}

fn compressed(maker: Maker, level: u8, plain: &[u8], step: usize) -> Vec<u8> {
    let mut encoder = Encoder::new(Settings {
        trailer: Trailer::None,
        maker,
        level,
    });
    let mut out = Vec::new();
    for piece in plain.chunks(step) {
        assert!(encoder.push(piece, &mut out).is_ok());
    }
    assert!(encoder.finish(&mut out).is_ok());
    out
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[test]
fn each_level_of_each_program_gives_its_very_bytes() {
    let sample = sample();
    assert_eq!((sample.len(), crc(&sample)), (260_000, SAMPLE));
    for (maker, expected) in [
        (Maker::Zlib(8), ZLIB_8),
        (Maker::Zlib(9), ZLIB_9),
        (Maker::Zlib(1), ZLIB_1),
        (Maker::Gzip, GZIP),
    ] {
        for (level, expected) in (1..).zip(expected) {
            let made = compressed(maker, level, &sample, 70_000);
            assert_eq!(crc(&made), expected, "{maker:?} -{level}");
        }
    }
}

#[test]
fn how_plain_bytes_come_makes_no_difference() {
    let sample = sample();
    for maker in [Maker::Zlib(8), Maker::Gzip, Maker::Miniz] {
        for level in [1, 6] {
            let whole = compressed(maker, level, &sample, sample.len());
            for step in [1000, 65_536, 100_001] {
                assert!(
                    compressed(maker, level, &sample, step) == whole,
                    "{maker:?} -{level}, {step}"
                );
            }
        }
    }
}

#[test]
fn what_is_short_or_all_alike_comes_out_whole() {
    let sample = sample();
    let alike = vec![b'a'; 100_000];
    let table = [
        &[][..],
        b"a",
        b"aaa",
        &sample[..300],
        &sample[150_000..190_000],
        &alike,
    ];
    for plain in table {
        for maker in [Maker::Zlib(1), Maker::Zlib(8), Maker::Gzip, Maker::Miniz] {
            for level in 1..=9 {
                let made = compressed(maker, level, plain, 5000);
                let back = miniz_oxide::inflate::decompress_to_vec(&made);
                assert!(back.is_ok_and(|back| back == plain), "{maker:?} -{level}");
            }
        }
    }
}

/// Of the sample, and of what zlib 1.2.13 and gzip 1.12 make of it at the levels 1 to 9.
const SAMPLE: u32 = 0xa93e_da2a;
const ZLIB_8: [u32; 9] = [
    0x1a20_7f8c,
    0xa211_e44e,
    0xdabe_f5ae,
    0xb973_40ac,
    0x1bcc_edc9,
    0x84d0_002f,
    0x9fa8_95e4,
    0x033e_a35b,
    0x033e_a35b,
];
const ZLIB_9: [u32; 9] = [
    0x5c0b_1505,
    0x981e_51fd,
    0x98bb_66ae,
    0xe48f_72c2,
    0x9631_2344,
    0x6605_2d4e,
    0xd34c_5001,
    0x1b0b_2551,
    0x1b0b_2551,
];
const ZLIB_1: [u32; 9] = [
    0x0661_b838,
    0xb9ab_f6dc,
    0xa3a7_6d45,
    0x8a7e_4f53,
    0x6133_c3d2,
    0x9da7_a403,
    0xcd33_0da6,
    0x8535_1e26,
    0x8535_1e26,
];
const GZIP: [u32; 9] = [
    0xb1ac_f7bd,
    0xe5dc_0af1,
    0xe015_0124,
    0x631c_86b3,
    0x4a64_1467,
    0x1bfb_45f4,
    0xd34c_5001,
    0x1b0b_2551,
    0x1b0b_2551,
];
