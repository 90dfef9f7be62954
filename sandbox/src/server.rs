//! The HTTP server: reads a request, asks the state for the answer, writes it or breaks off.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, future, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::answer::Reply;
use crate::state::State;

/// A reply, and after how many bytes of its body the connection is cut, if at all.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) reply: Reply,
    pub(crate) cut_after: Option<usize>,
}

/// Accepts connections until the task that runs it ends; they end with it.
pub(crate) async fn serve(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                let state = Arc::clone(&state);
                connections.spawn(async move {
                    let service = service_fn(move |request| answer(Arc::clone(&state), request));
                    // A client that goes away is no failure of the server.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

type Body = UnsyncBoxBody<Bytes, io::Error>;

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Body>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let is_head = parts.method == hyper::Method::HEAD;
    let delivery = state.answer(parts, body).await;
    Ok(response(delivery, is_head))
}

fn response(delivery: Delivery, is_head: bool) -> Response<Body> {
    let Delivery { reply, cut_after } = delivery;
    let mut builder = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        builder = builder.header(name, value);
    }
    let body = match cut_after {
        Some(kept) => {
            builder = builder.header("content-length", reply.body.len());
            cut(reply.body.slice(..kept.min(reply.body.len())))
        }
        None if is_head => {
            builder = builder.header("content-length", reply.body.len());
            whole(Bytes::new())
        }
        None => whole(reply.body),
    };
    builder.body(body).unwrap_or_else(|error| {
        let mut response = Response::new(whole(format!("the test asked for an impossible answer: {error}").into()));
        *response.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

fn whole(body: Bytes) -> Body {
    Full::new(body).map_err(|never: Infallible| match never {}).boxed_unsync()
}

/// How long the cut waits, so that what comes before it has left.
const BEFORE_CUT: Duration = Duration::from_millis(20);

fn cut(kept: Bytes) -> Body {
    let broken = async {
        tokio::time::sleep(BEFORE_CUT).await;
        Err(io::Error::other("cut on demand"))
    };
    let chunks = stream::once(future::ready(Ok(Frame::data(kept)))).chain(stream::once(broken));
    BodyExt::boxed_unsync(StreamBody::new(chunks))
}
