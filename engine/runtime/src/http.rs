//! Health and metrics over HTTP: `/livez`, `/readyz`, `/metrics`.
//!
//! Off unless asked for, and on 127.0.0.1 unless another address is named. It answers GET only, takes no
//! body, and shows nothing of the job file.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use seatun_api::{Error, Result};
use tokio::net::TcpListener;

use crate::codes;
use crate::metrics::Exporter;
use crate::stats::JobStats;

#[derive(Clone)]
struct Shown {
    stats: Arc<JobStats>,
    exporter: Exporter,
}

/// A bound address that does not answer yet.
pub struct Server {
    listener: TcpListener,
    router: Router,
    address: SocketAddr,
}

impl Server {
    /// Binds the address.
    ///
    /// # Errors
    /// Names the address that cannot be bound.
    pub async fn bind(address: SocketAddr, stats: Arc<JobStats>) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::user(codes::HTTP_ADDRESS, format!("cannot listen on {address}"))
                .with_hint("choose another address with --http")
                .with_source(error)
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let exporter = Exporter::install(Arc::clone(&stats))?;
        let router = Router::new()
            .route("/livez", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .with_state(Shown { stats, exporter });
        Ok(Self { listener, router, address })
    }

    /// The address that was bound: with port 0, the one that was given.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until it is dropped.
    ///
    /// # Errors
    /// If the listener fails.
    pub async fn serve(self) -> Result<()> {
        axum::serve(self.listener, self.router).await.map_err(|error| {
            Error::external(codes::HTTP_ADDRESS, "health and metrics are no longer served").with_source(error)
        })
    }
}

async fn ready(State(shown): State<Shown>) -> impl IntoResponse {
    if shown.stats.ready.load(Ordering::Relaxed) {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "starting, restarting or stopping\n")
    }
}

async fn metrics(State(shown): State<Shown>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], shown.exporter.render())
}
