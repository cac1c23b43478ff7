//! Numbers of the framing, rests of streams, and checks that fail.

use super::super::body::{Body, Part};
use super::super::{OldFile, Projection, literal_bits};
use super::*;

#[test]
fn numbers_of_the_framing_have_one_form() {
    let good = patch(NEW_BYTES, &[(NEW_BYTES, control(&[]), vec![0; 50])]);
    let header = good.len() - 1 - 1 - 1 - 50 - control(&[]).len();
    let long: [&[u8]; 4] = [
        &[0x8d, 0],
        &[0x80, 0x80, 0x80, 0x80, 0x10],
        &[0xff, 0xff, 0xff, 0xff, 0x7f],
        &[0x80; 9],
    ];
    for number in long {
        let bad = [&good[..header], number, &good[header + 1..]].concat();
        let (result, _) = applied(&bad, NEW_BYTES);
        assert!(
            matches!(result, Err(ApplyError::Number)),
            "{number:x?}: {result:?}"
        );
    }
}

#[test]
fn a_rest_of_control_or_body_is_refused() {
    let longer = [control(&[]), vec![7; 40]].concat();
    assert_eq!(fault(longer), PartFault::Rest);
    let new = *b"a new file...";
    let (control, body) = (control(&[]), body(&new, 0));
    let (good, _) = applied(
        &patch(NEW_BYTES, &[(NEW_BYTES, control.clone(), body.clone())]),
        NEW_BYTES,
    );
    // The checksum in the header is none of it: everything before is right.
    assert!(matches!(good, Err(ApplyError::WrongResult { .. })), "{good:?}");
    let longer = [body, vec![7; 40]].concat();
    let (result, _) = applied(&patch(NEW_BYTES, &[(NEW_BYTES, control, longer)]), NEW_BYTES);
    assert!(
        matches!(
            result,
            Err(ApplyError::Part {
                fault: PartFault::Rest,
                ..
            })
        ),
        "{result:?}"
    );
}

/// Its control says that it is longer than the patch, and its decoder has just taken all there is.
#[rustfmt::skip]
const ENDS_BEFORE_ITS_CONTROL: [u8; 54] = [
    0x4d, 0x4f, 0x55, 0x4c, 0x54, 0x50, 0x43, 0x48, 0x02, 0x00, 0x01, 0x00, 0x00, 0xe4, 0x00, 0x00, 0xac, 0x08,
    0xd4, 0xfb, 0x2c, 0x01, 0x00, 0xa1, 0x24, 0x00, 0x01, 0xaa, 0x4d, 0x4f, 0xff, 0xff, 0x4c, 0x55, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x43, 0x48, 0x01, 0x60, 0x5b, 0x24,
];

#[test]
fn a_length_beyond_the_end_of_the_patch_is_refused() {
    let looked = contents(&ENDS_BEFORE_ITS_CONTROL[..]);
    assert!(matches!(looked, Err(ApplyError::Truncated)), "{looked:?}");
}

/// The body of a part that makes all of `new` from nothing, with this instead of its own check.
fn body(new: &[u8], check: u32) -> Vec<u8> {
    let none = Layout::default();
    let mut coder = Encoder::new();
    let mut body = Body::new(&none, &none, Vec::new(), literal_bits(new.len() as u32, &none));
    let mut old = OldFile::new(Cursor::new(OLD), OLD.len() as u32, none.clone());
    let projection = Projection::new(&[], &none, &none);
    let part = Part {
        segments: &[],
        projection: &projection,
        end: new.len() as u32,
        truth: new,
    };
    body.part(&mut coder, &mut old, part, &mut io::sink()).unwrap();
    coder.raw(check, 16);
    coder.finish()
}

#[test]
fn a_patch_made_with_other_references_is_refused() {
    let new = *b"a new file...";
    let (result, _) = applied(
        &patch(NEW_BYTES, &[(NEW_BYTES, control(&[]), body(&new, 1))]),
        NEW_BYTES,
    );
    assert!(
        matches!(
            result,
            Err(ApplyError::Part {
                fault: PartFault::References,
                ..
            })
        ),
        "{result:?}"
    );
}
