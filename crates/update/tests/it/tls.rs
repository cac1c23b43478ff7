//! A company's proxy that looks into TLS: believed where its certificate was installed, and nowhere else.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use moult_model::{Digest, ErrorCode};
use moult_update::UpdateError;
use moult_update::fetch::{Fetched, Fetcher, Limits, Mirrors, Pinned, Route};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::support::server::Server;
use crate::support::{limits, noise};

const HOST: &str = "updates.company.example";
const SIZE: usize = 50_000;

/// A repository on another computer, and the proxy that stands before it and reads everything.
struct Company {
    folder: tempfile::TempDir,
    _server: Server,
    pinned: Pinned,
    proxy: u16,
    /// What the proxy was asked for, head by head.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Company {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bytes = noise(5, SIZE);
        fs::create_dir(folder.path().join("served")).unwrap();
        fs::create_dir(folder.path().join("staging")).unwrap();
        fs::write(folder.path().join("served/file"), &bytes).unwrap();
        let server = Server::start(folder.path().join("served")).await;
        let port = server
            .url()
            .trim_end_matches('/')
            .rsplit(':')
            .next()
            .unwrap()
            .parse()
            .unwrap();

        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        fs::write(folder.path().join("company.pem"), authority.pem()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec![HOST.to_owned()])
            .unwrap()
            .signed_by(&key, &authority)
            .unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        // By name: a program in which two providers are built knows no default.
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heads = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, heads) = (acceptor.clone(), heads.clone());
                tokio::spawn(async move { drop(look_into(stream, &acceptor, port, &heads).await) });
            }
        });
        Self {
            pinned: Pinned {
                path: "file".into(),
                digest: Digest::of(&bytes),
                size: SIZE as u64,
            },
            folder,
            _server: server,
            proxy,
            asked,
        }
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("company.pem")
    }

    fn proxy(&self) -> String {
        format!("http://127.0.0.1:{}", self.proxy)
    }

    async fn fetch(&self, proxy: &str, certificates: &Path) -> Result<Fetched, UpdateError> {
        let route = Route {
            proxy: proxy.to_owned(),
            certificates: certificates.to_str().unwrap().to_owned(),
            ..Route::to(&format!("https://{HOST}/"))
        };
        let limits = Limits { tries: 1, ..limits() };
        let mirrors = Mirrors::open(&route, limits)?;
        Fetcher::new(mirrors, self.folder.path().join("staging"))
            .fetch(&self.pinned, &|_| {})
            .await
    }
}

/// Lets a client believe that it speaks to the other computer, and passes on what it says.
async fn look_into(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    port: u16,
    heads: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).await? > 0 {}
    heads.lock().unwrap().push(head);
    let mut stream = stream.into_inner();
    stream
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .await?;
    let mut inside = acceptor.accept(stream).await?;
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    copy_bidirectional(&mut inside, &mut server).await?;
    Ok(())
}

#[tokio::test]
async fn a_proxy_that_looks_into_tls_is_believed_where_its_certificate_is_named() {
    let company = Company::new().await;
    let fetched = company
        .fetch(&company.proxy(), &company.certificate())
        .await
        .unwrap();
    assert_eq!(
        Digest::of(&fs::read(fetched.path()).unwrap()),
        company.pinned.digest
    );
    let asked = company.asked.lock().unwrap().join("");
    assert!(asked.starts_with(&format!("CONNECT {HOST}:443 ")), "{asked}");
}

#[tokio::test]
async fn without_its_certificate_not_a_byte_is_taken_from_it() {
    let company = Company::new().await;
    let error = company.fetch(&company.proxy(), Path::new("")).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Offline, "{error:?}");
    assert!(format!("{error:?}").contains("UnknownIssuer"), "{error:?}");
}

#[tokio::test]
async fn a_proxy_gets_the_password_that_its_address_has() {
    let company = Company::new().await;
    let proxy = format!("http://me:secret@127.0.0.1:{}", company.proxy);
    company.fetch(&proxy, &company.certificate()).await.unwrap();
    let asked = company.asked.lock().unwrap().join("").to_lowercase();
    // `me:secret` in base64.
    assert!(
        asked.contains("proxy-authorization: basic bwu6c2vjcmv0"),
        "{asked}"
    );
}
