//! State passes through JSON twice at each save. A number must come back as it went, to the last bit.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use moult_model::stage::SavedState;
use serde_json::json;

#[test]
fn every_number_of_a_state_comes_back_as_it_went() {
    // Any numbers will do, as long as they have all their digits.
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..10_000 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let number = (seed >> 11) as f64 / (1_u64 << 53) as f64 * 1e3;
        // As JavaScript writes it: the fewest digits that mean this number and no other.
        let text = format!("{{\"schema\":1,\"data\":{number}}}");
        let state: SavedState = serde_json::from_str(&text).unwrap();
        assert_eq!(state.data, json!(number), "{text}");
        assert_eq!(serde_json::to_string(&state).unwrap(), text);
    }
}
