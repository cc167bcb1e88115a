//! AMQP 0-9-1 (RabbitMQ): the protocol header is answered with `Connection.Start`
//! (<https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf>, 2.3.5 and 4.2).

use std::io;

use tokio::net::TcpStream;

use super::{Answer, read_message, stranger, write};

const HEADER: &[u8; 8] = b"AMQP\x00\x00\x09\x01";
const METHOD_FRAME: u8 = 1;
/// Class 10 (connection), method 10 (start).
const CONNECTION_START: &[u8] = &[0, 10, 0, 10];

pub(in crate::probe) async fn ask(stream: &mut TcpStream) -> io::Result<Answer> {
    write(stream, HEADER).await?;
    // A header in return names the version that it speaks instead; both are at least eight bytes.
    let start = read_message(stream, 8).await?;
    if start.starts_with(b"AMQP") {
        let [.., major, minor, revision] = start[..] else { return Ok(stranger("RabbitMQ", &start)) };
        return Ok(Answer::unhealthy(format!("speaks AMQP {major}.{minor}.{revision}, not 0-9-1")));
    }
    let rest = read_message(stream, 3).await?;
    let method = [&start[7..], &rest].concat();
    // Type, channel 0, and four bytes of length, which the method's numbers follow.
    Ok(if start[0] == METHOD_FRAME && start[1..3] == [0, 0] && method == CONNECTION_START {
        Answer::healthy("Connection.Start received")
    } else {
        stranger("an AMQP server", &start)
    })
}
