//! The addresses that one repository is served from, each host with its breaker, and the limit that all
//! downloads share. It refuses to know what is fetched.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moult_model::{ErrorCode, Settings};
use tokio::time::Instant;
use url::Url;

use super::breaker::{Breaker, BreakerEvent, Verdict};
use super::bucket::Bucket;
use super::http::Dialling;
use crate::error::{UpdateError, chain};
use crate::fetch::{Http, Limits};

/// How a repository is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// Its address.
    pub address: String,
    /// Further addresses of the same files, in the order in which they are tried.
    pub mirrors: Vec<String>,
    /// Empty: the system's. `none`: no proxy. Else the proxy's address.
    pub proxy: String,
    /// A file with certificates (PEM) that are trusted beside the system's. Empty: none.
    pub certificates: String,
    /// Bytes per second for all downloads together; 0 for no limit.
    pub bytes_per_second: u64,
}

/// What somebody should look at: an answer that should not be, and that another try does not mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What kind of problem it is.
    pub code: ErrorCode,
    /// What was asked for.
    pub url: String,
    /// The technical chain of causes.
    pub detail: String,
}

/// The addresses of one repository. A cheap handle.
#[derive(Clone)]
pub struct Mirrors {
    all: Arc<All>,
}

struct All {
    sites: Vec<Site>,
    /// The one that was good last.
    current: AtomicUsize,
    limits: Limits,
    bucket: Option<Mutex<Bucket>>,
    bytes_per_second: u64,
    began: Instant,
    alerts: Mutex<Alerts>,
}

/// One address. Those on the same host share what became of their calls.
struct Site {
    http: Arc<Http>,
    breaker: Arc<Mutex<Breaker>>,
}

/// What is to be told, and what was told before.
#[derive(Default)]
struct Alerts {
    waiting: Vec<Alert>,
    told: Vec<(ErrorCode, String)>,
}

/// So many alerts are remembered, so that one that comes back at each check is told once.
const MOST_ALERTS: usize = 64;

impl Route {
    /// The address alone, and the system's proxy.
    pub fn to(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            ..Self::default()
        }
    }

    /// What the settings say.
    pub fn of(settings: &Settings) -> Self {
        let delivery = settings.delivery.clone().in_range();
        Self {
            address: settings.repository.clone(),
            mirrors: delivery.mirrors,
            proxy: delivery.proxy,
            certificates: delivery.certificates,
            bytes_per_second: u64::from(delivery.limit_kb_per_second) * 1000,
        }
    }
}

impl Mirrors {
    /// The addresses of a route. A mirror whose address can't be one is left out; the repository's own
    /// address must be one.
    pub fn open(route: &Route, limits: Limits) -> Result<Self, UpdateError> {
        let dialling = Dialling::new(&route.proxy, &route.certificates)?;
        let mut sites = vec![Arc::new(Http::dialled(&route.address, limits, &dialling)?)];
        for address in &route.mirrors {
            match Http::dialled(address, limits, &dialling) {
                Ok(http) if sites.iter().all(|known| known.base() != http.base()) => {
                    sites.push(Arc::new(http));
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(error = chain(&error), "a mirror is left out"),
            }
        }
        Ok(Self::of(sites, limits, route.bytes_per_second))
    }

    fn of(addresses: Vec<Arc<Http>>, limits: Limits, bytes_per_second: u64) -> Self {
        let mut sites: Vec<Site> = Vec::new();
        for http in addresses {
            let known = sites
                .iter()
                .find(|site| host_of(site.http.base()) == host_of(http.base()));
            let breaker = known.map_or_else(Arc::default, |site| site.breaker.clone());
            sites.push(Site { http, breaker });
        }
        Self {
            all: Arc::new(All {
                sites,
                current: AtomicUsize::new(0),
                limits,
                bucket: Bucket::new(bytes_per_second).map(Mutex::new),
                bytes_per_second,
                began: Instant::now(),
                alerts: Mutex::default(),
            }),
        }
    }

    /// What holds for every request.
    pub fn limits(&self) -> &Limits {
        &self.all.limits
    }

    /// How many addresses there are.
    pub fn count(&self) -> usize {
        self.all.sites.len()
    }

    /// What there is to tell since the last call.
    pub fn take_alerts(&self) -> Vec<Alert> {
        std::mem::take(&mut lock(&self.all.alerts).waiting)
    }

    /// Forgets that hosts failed: the user asks, or the network is another one.
    pub fn refresh(&self) {
        for place in 0..self.count() {
            self.report(place, BreakerEvent::Fresh);
        }
    }

    /// The client of an address.
    pub(crate) fn http(&self, place: usize) -> Result<&Arc<Http>, UpdateError> {
        self.all
            .sites
            .get(place)
            .map(|site| &site.http)
            .ok_or(UpdateError::Abandoned)
    }

    /// The address that was good last.
    pub(crate) fn current(&self) -> usize {
        self.all.current.load(Ordering::Relaxed)
    }

    /// An address was good.
    pub(crate) fn prefer(&self, place: usize) {
        self.all.current.store(place, Ordering::Relaxed);
    }

    /// For how long an address is to be left alone.
    pub(crate) fn wait(&self, place: usize) -> Duration {
        let policy = &self.all.limits.breaker;
        self.all.sites.get(place).map_or(Duration::ZERO, |site| {
            lock(&site.breaker).wait(policy, self.all.began.elapsed())
        })
    }

    /// Asks whether a call may be made now.
    pub(crate) fn ask(&self, place: usize) -> Verdict {
        self.report(place, BreakerEvent::Ask)
    }

    /// Notes what became of a call.
    pub(crate) fn report(&self, place: usize, event: BreakerEvent) -> Verdict {
        self.all.sites.get(place).map_or(Verdict::Go, |site| {
            lock(&site.breaker).next(event, &self.all.limits.breaker, self.all.began.elapsed())
        })
    }

    /// Says that all addresses want to be left alone.
    pub(crate) fn resting(&self, place: usize, wait: Duration) -> UpdateError {
        let base = self.all.sites.get(place).map(|site| site.http.base());
        UpdateError::Resting {
            host: base.and_then(Url::host_str).unwrap_or_default().to_owned(),
            seconds: wait.as_secs().max(1),
        }
    }

    /// Bytes of a download have come: how long to wait before the next are read.
    pub(crate) fn throttle(&self, bytes: u64) -> Duration {
        self.all.bucket.as_ref().map_or(Duration::ZERO, |bucket| {
            lock(bucket).take(bytes, self.all.began.elapsed())
        })
    }

    /// Below how many bytes per second a mirror is slow. What the user's own limit holds back is no mirror's
    /// fault.
    pub(crate) fn floor(&self) -> u64 {
        let floor = self.all.limits.floor;
        match self.all.bytes_per_second {
            0 => floor,
            limit => floor.min(limit / 4),
        }
    }

    /// Tells of an error that somebody should look at, once.
    pub(crate) fn alert(&self, url: &Url, error: &UpdateError) {
        let mut alerts = lock(&self.all.alerts);
        let key = (error.code(), url.to_string());
        if alerts.told.contains(&key) {
            return;
        }
        if alerts.told.len() >= MOST_ALERTS {
            alerts.told.remove(0);
        }
        alerts.told.push(key);
        let detail = chain(error);
        tracing::error!(%url, code = ?error.code(), detail, alert = true, "an answer that should not be");
        if alerts.waiting.len() < MOST_ALERTS {
            alerts.waiting.push(Alert {
                code: error.code(),
                url: url.to_string(),
                detail,
            });
        }
    }
}

impl From<Arc<Http>> for Mirrors {
    fn from(http: Arc<Http>) -> Self {
        let limits = *http.limits();
        Self::of(vec![http], limits, 0)
    }
}

impl fmt::Debug for Mirrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses = self.all.sites.iter().map(|site| site.http.base().as_str());
        f.debug_list().entries(addresses).finish()
    }
}

fn host_of(base: &Url) -> (Option<&str>, Option<u16>) {
    (base.host_str(), base.port_or_known_default())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn route(mirrors: &[&str]) -> Route {
        Route {
            mirrors: mirrors.iter().map(|text| (*text).to_owned()).collect(),
            ..Route::to("http://127.0.0.1:1/r/")
        }
    }

    #[test]
    fn mirrors_that_can_be_none_and_twins_are_left_out() {
        let mirrors = [
            "http://127.0.0.1:1/r",
            "http://example.org/",
            "nonsense",
            "https://example.org/r/",
        ];
        let mirrors = Mirrors::open(&route(&mirrors), Limits::default()).unwrap();
        assert_eq!(mirrors.count(), 2, "{mirrors:?}");
        assert!(Mirrors::open(&Route::to(""), Limits::default()).is_err());
    }

    #[tokio::test]
    async fn addresses_on_one_host_share_its_breaker_and_others_do_not() {
        let mirrors = ["http://127.0.0.1:1/s/", "http://127.0.0.1:2/"];
        let mirrors = Mirrors::open(&route(&mirrors), Limits::default()).unwrap();
        mirrors.report(0, BreakerEvent::Busy(Duration::from_secs(9)));
        let waits: Vec<_> = (0..3).map(|place| mirrors.wait(place).is_zero()).collect();
        assert_eq!(waits, [false, false, true]);
        mirrors.refresh();
        assert!(mirrors.wait(0).is_zero());
    }

    #[test]
    fn an_alert_is_told_once() {
        let mirrors = Mirrors::open(&route(&[]), Limits::default()).unwrap();
        let url: Url = "http://127.0.0.1:1/r/x".parse().unwrap();
        let error = UpdateError::Status {
            url: url.to_string(),
            status: 410,
        };
        mirrors.alert(&url, &error);
        mirrors.alert(&url, &error);
        assert_eq!(mirrors.take_alerts().len(), 1);
        mirrors.alert(&url, &error);
        assert!(mirrors.take_alerts().is_empty());
    }

    #[test]
    fn a_limit_of_the_user_makes_no_mirror_slow() {
        let limits = Limits::default();
        let with = |bytes_per_second| Route {
            bytes_per_second,
            ..route(&[])
        };
        assert_eq!(Mirrors::open(&with(0), limits).unwrap().floor(), limits.floor);
        assert_eq!(Mirrors::open(&with(8_000), limits).unwrap().floor(), 2_000);
    }
}
