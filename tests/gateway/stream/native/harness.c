/*
 * Runs join.c under sanitizers: streams between random peers that write, stop reading, end, reset and are asked for,
 * at random moments. A returned stream's memory is freed at once, while its descriptors still have events, so that any
 * later use is reported. What has arrived must be what was sent, in order. Arguments: seed, number of rounds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int join_open(void *loop);
void join_close(void *loop);
void join_run(void *loop);
void join_wait(void *loop);
void join_stop(void *loop);
void join_add(void *loop, void *stream);
void join_command(void *loop, void *stream, int commands);

enum { STREAMS = 40, STEPS = 4000, CHUNK = 300000, PING = 1, RETURN = 2 };

/* The part of struct stream that callers use. */
struct slot { double bytes[2], frames[14]; int fds[2], commands, returned, rest[8]; };

struct peer { int fd; uint64_t sent, received; };
struct stream { struct slot *slot; int fds[2]; struct peer peers[2]; };

static unsigned seed;
static int pick(int limit) { return (int)((unsigned)rand_r(&seed) % (unsigned)limit); }

static uint8_t pattern(uint64_t at) { return (uint8_t)(at * 31 + (at >> 8) + (at >> 17)); }

static void connect_pair(int pair[2]) {
  if (pick(3) == 0) {
    assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    return;
  }
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  int server = socket(AF_INET, SOCK_STREAM, 0);
  assert(bind(server, (void *)&address, length) == 0 && listen(server, 1) == 0);
  assert(getsockname(server, (void *)&address, &length) == 0);
  pair[0] = socket(AF_INET, SOCK_STREAM, 0);
  assert(connect(pair[0], (void *)&address, length) == 0);
  pair[1] = accept4(server, NULL, NULL, SOCK_NONBLOCK);
  assert(pair[1] >= 0);
  close(server);
}

static void join(void *loop, struct stream *stream) {
  stream->slot = calloc(1, sizeof *stream->slot);
  for (int side = 0; side < 2; side++) {
    int pair[2];
    connect_pair(pair);
    stream->peers[side] = (struct peer){ .fd = pair[1] };
    stream->slot->fds[side] = stream->fds[side] = pair[0];
  }
  join_add(loop, stream->slot);
}

static void end(struct peer *peer) {
  if (peer->fd >= 0) close(peer->fd);
  peer->fd = -1;
}

static void reset(struct peer *peer) {
  struct linger linger = { 1, 0 };
  if (peer->fd >= 0) setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  end(peer);
}

static void end_all(struct stream *stream) {
  for (int side = 0; side < 2; side++) {
    end(&stream->peers[side]);
    if (stream->fds[side] >= 0) close(stream->fds[side]);
  }
}

static void send_some(struct peer *peer) {
  static uint8_t bytes[CHUNK];
  int length = 1 + pick(pick(8) ? 200 : CHUNK);
  for (int at = 0; at < length; at++) bytes[at] = pattern(peer->sent + (uint64_t)at);
  ssize_t sent = send(peer->fd, bytes, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) peer->sent += (uint64_t)sent;
}

static void receive_some(struct peer *peer, const struct peer *from) {
  static uint8_t bytes[CHUNK];
  ssize_t length = recv(peer->fd, bytes, (size_t)(1 + pick(CHUNK)), MSG_DONTWAIT);
  for (ssize_t at = 0; at < length; at++) {
    assert(bytes[at] == pattern(peer->received++));
    assert(peer->received <= from->sent);
  }
}

static void act(void *loop, struct stream *stream) {
  int side = pick(2);
  struct peer *peer = &stream->peers[side];
  int what = pick(stream->slot ? 200 : 197);
  if (peer->fd < 0) return;
  if (what < 90) send_some(peer);
  else if (what < 194) receive_some(peer, &stream->peers[!side]);
  else if (what == 194) shutdown(peer->fd, SHUT_WR);
  else if (what == 195) end(peer);
  else if (what == 196) reset(peer);
  else if (what == 197) join_command(loop, stream->slot, RETURN);
  else join_command(loop, stream->slot, RETURN | PING);
}

static void *run(void *loop) { join_run(loop); return NULL; }
static void *wait_for(void *loop) { join_wait(loop); return NULL; }

int main(int count, char **arguments) {
  assert(count == 3);
  seed = (unsigned)atoi(arguments[1]);
  int returned = 0;
  for (int round = atoi(arguments[2]); round > 0; round--) {
    struct stream streams[STREAMS];
    memset(streams, -1, sizeof streams);
    for (int at = 0; at < STREAMS; at++) streams[at].slot = NULL;
    void *loop = calloc(1, 32);
    pthread_t running, waiting;
    assert(join_open(loop) == 0);
    pthread_create(&running, NULL, run, loop);
    pthread_create(&waiting, NULL, wait_for, loop);
    for (int step = 0; step < STEPS; step++) {
      struct stream *stream = &streams[pick(STREAMS)];
      if (!stream->slot && pick(8) == 0) {
        end_all(stream);
        join(loop, stream);
      }
      act(loop, stream);
      if (!stream->slot || !__atomic_load_n(&stream->slot->returned, __ATOMIC_ACQUIRE)) continue;
      assert(stream->slot->bytes[0] <= (double)stream->peers[0].sent);
      assert(stream->slot->bytes[1] <= (double)stream->peers[1].sent);
      free(stream->slot);
      stream->slot = NULL;
      returned++;
    }
    join_stop(loop);
    pthread_join(running, NULL);
    pthread_join(waiting, NULL);
    join_close(loop);
    free(loop);
    for (int at = 0; at < STREAMS; at++) {
      end_all(&streams[at]);
      free(streams[at].slot);
    }
  }
  printf("%d streams returned, next descriptor %d\n", returned, dup(0));
  return 0;
}
