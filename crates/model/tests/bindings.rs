//! The TypeScript types of the frontend are generated from this crate. This test fails when
//! they are out of date; `cargo xtask bindings` writes them anew.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::path::Path;

use moult_model::{
    board, bundle, developer, explanation, not_tried, problem, progress, rollout, settings, stage,
};
use ts_rs::{Config, TS};

fn declare<T: TS>(out: &mut String, config: &Config) {
    if let Some(docs) = T::docs() {
        out.push_str(&docs);
    }
    writeln!(out, "export {}\n", T::decl(config)).unwrap();
}

macro_rules! declare_all {
    ($out:ident, $config:ident, $($type:ty),+ $(,)?) => { $( declare::<$type>(&mut $out, &$config); )+ };
}

#[test]
fn typescript_types_are_up_to_date() {
    let config = Config::default();
    let mut out = String::from(
        "// Generated from crates/model by `cargo xtask bindings`. Do not edit.\n\n\
         export type Subject = string;\nexport type WidgetId = string;\nexport type Channel = string;\n\n",
    );
    declare_all!(
        out,
        config,
        board::Cell,
        board::Tile,
        board::Board,
        bundle::Size,
        bundle::Permission,
        bundle::Words,
        bundle::ChoiceOption,
        bundle::FieldKind,
        bundle::Setting,
        bundle::CompareRule,
        bundle::ShadowRun,
        bundle::TrialRule,
        bundle::HostApi,
        bundle::StateSchema,
        bundle::EntryPoints,
        bundle::BundleKind,
        bundle::BundleManifest,
        problem::ErrorCode,
        problem::Problem,
        not_tried::Obstacle,
        not_tried::NotTried,
        rollout::Share,
        rollout::VersionRange,
        explanation::Authority,
        explanation::NextWave,
        explanation::Partner,
        explanation::Verdict,
        explanation::Candidate,
        explanation::Gate,
        explanation::Explanation,
        progress::Phase,
        progress::PlanStep,
        progress::Hold,
        progress::Activity,
        progress::Outcome,
        progress::HistoryEntry,
        settings::Mode,
        settings::Theme,
        settings::StagePolicy,
        settings::Stages,
        settings::QuietHours,
        settings::Delivery,
        settings::Settings,
        stage::SavedState,
        stage::Load,
        stage::SwapReason,
        stage::SwapOrder,
        stage::ResourcesOrder,
        stage::SwapCause,
        stage::SwapFailure,
        stage::CarriedFrame,
        stage::CarriedKey,
        stage::Carried,
        stage::HeldCause,
        stage::HeldWidget,
        stage::Placed,
        stage::Pulse,
        stage::StageReport,
        stage::GrantedPermission,
        stage::InstalledPart,
        stage::ConsentRequest,
        stage::LogicNotice,
        stage::ShadowStanding,
        stage::CapabilityUse,
        developer::DeveloperView,
        stage::Overview,
        stage::StageStart,
        stage::StageEvent,
        stage::ShellCommand,
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/host/bindings.ts");
    if std::env::var_os("MOULT_WRITE_BINDINGS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &out).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == out,
        "{} is out of date: run `cargo xtask bindings`",
        path.display()
    );
}
