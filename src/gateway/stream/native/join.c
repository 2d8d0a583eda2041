/*
 * Joins clients' sockets with browsers' in one thread, without a C library.
 *
 * The caller owns every descriptor and every structure. The loop uses those of a stream from add() until it sets
 * `returned`, closes none, and holds no byte: it peeks at what has arrived, sends it on, and removes from the first
 * socket what the second has accepted. So a stream can be returned at any moment without loss, and a side that does not
 * read stops the other. A stream is returned when a side has ended or failed, or when the caller asks for it; what is
 * left to do, such as close frames, is done by splice.ts.
 *
 * The structures are mirrored in stream_slot.ts. VERSION changes with each change to them or to a function.
 */
#define VERSION 2

#define EXPORT __attribute__((visibility("default")))

typedef __INT32_TYPE__ i32;
typedef __UINT32_TYPE__ u32;
typedef __INT64_TYPE__ i64;
typedef __UINT64_TYPE__ u64;
typedef unsigned char u8;

#if defined(__x86_64__)
enum { SYS_read = 0, SYS_write = 1, SYS_close = 3, SYS_sendto = 44, SYS_recvfrom = 45, SYS_epoll_ctl = 233,
  SYS_epoll_pwait = 281, SYS_eventfd2 = 290, SYS_epoll_create1 = 291 };
#define PACKED __attribute__((packed))

static i64 call(i64 number, i64 a, i64 b, i64 c, i64 d, i64 e, i64 f) {
  register i64 r10 __asm__("r10") = d;
  register i64 r8 __asm__("r8") = e;
  register i64 r9 __asm__("r9") = f;
  i64 result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
    : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
enum { SYS_eventfd2 = 19, SYS_epoll_create1 = 20, SYS_epoll_ctl = 21, SYS_epoll_pwait = 22, SYS_close = 57,
  SYS_read = 63, SYS_write = 64, SYS_sendto = 206, SYS_recvfrom = 207 };
#define PACKED

static i64 call(i64 number, i64 a, i64 b, i64 c, i64 d, i64 e, i64 f) {
  register i64 x8 __asm__("x8") = number;
  register i64 x0 __asm__("x0") = a;
  register i64 x1 __asm__("x1") = b;
  register i64 x2 __asm__("x2") = c;
  register i64 x3 __asm__("x3") = d;
  register i64 x4 __asm__("x4") = e;
  register i64 x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
#endif

enum { EINTR_ = -4, EAGAIN_ = -11 };
enum { MSG_PEEK_ = 2, MSG_TRUNC_ = 0x20, MSG_DONTWAIT_ = 0x40, MSG_NOSIGNAL_ = 0x4000 };
enum { EPOLL_IN = 1, EPOLL_OUT = 4, EPOLL_ERR = 8, EPOLL_HUP = 16, EPOLL_ADD = 1, EPOLL_DEL = 2, EPOLL_MOD = 3 };
enum { CLOEXEC = 02000000 };

enum { READ_BYTES = 128 * 1024, EVENTS = 64 };

/* The sides of a stream. A direction is named by the side that sends. */
enum { CLIENT = 0, BROWSER = 1 };

/* Bits of `commands`. */
enum { PING = 1, RETURN = 2 };

/* The state of frame_follower.ts, in the same order. */
struct frames {
  double payload_left, is_second_byte, length_bytes_left, long_length, mask_bytes, has_closed, is_in_message;
};

struct stream {
  double bytes[2];              /* 0: bytes of each direction, read by other threads */
  struct frames frames[2];      /* 16: by direction */
  i32 fds[2];                   /* 128 */
  i32 commands;                 /* 136: set by the caller */
  i32 returned;                 /* 140: set last; the loop does not use the stream any more */
  i32 awaits_pong;              /* 144 */
  i32 is_leaving;
  i32 is_blocked[2];            /* by direction: the other side does not accept bytes */
  u32 watched[2];               /* by side: events in epoll */
  struct stream *next;          /* 168; the structure has 176 bytes */
};

struct loop {
  i32 epoll, wake_loop, wake_caller, is_stopped;
  struct stream *added;         /* 16: pushed by the caller */
  struct stream *streams;       /* 24; the structure has 32 bytes */
};

_Static_assert(__builtin_offsetof(struct stream, fds) == 128, "stream_slot.ts");
_Static_assert(__builtin_offsetof(struct stream, awaits_pong) == 144, "stream_slot.ts");
_Static_assert(sizeof(struct stream) == 176 && sizeof(struct loop) == 32, "stream_slot.ts");

struct PACKED event { u32 events; u64 data; };

/* Follows the headers of the frames of one direction, as frame_follower.ts. */
static void follow(struct frames *frames, const u8 *bytes, i64 length) {
  for (i64 at = 0; at < length;) {
    if (frames->payload_left > 0) {
      double rest = (double)(length - at);
      i64 count = frames->payload_left < rest ? (i64)frames->payload_left : length - at;
      frames->payload_left -= (double)count;
      at += count;
      continue;
    }
    u8 byte = bytes[at++];
    if (frames->length_bytes_left > 0) {
      frames->long_length = frames->long_length * 256 + byte;
      if (--frames->length_bytes_left == 0) frames->payload_left = frames->long_length + frames->mask_bytes;
    } else if (frames->is_second_byte == 0) {
      frames->is_second_byte = 1;
      if (!(byte & 0x08)) frames->is_in_message = !(byte & 0x80);
      else if ((byte & 0x0f) == 8) frames->has_closed = 1;
    } else {
      int short_length = byte & 0x7f;
      frames->is_second_byte = 0;
      frames->mask_bytes = byte & 0x80 ? 4 : 0;
      frames->length_bytes_left = short_length == 126 ? 2 : short_length == 127 ? 8 : 0;
      frames->long_length = 0;
      if (frames->length_bytes_left == 0) frames->payload_left = short_length + frames->mask_bytes;
    }
  }
}

static i64 send_bytes(i32 fd, const u8 *bytes, i64 length) {
  return call(SYS_sendto, fd, (i64)bytes, length, MSG_DONTWAIT_ | MSG_NOSIGNAL_, 0, 0);
}

static i64 receive(i32 fd, u8 *bytes, i64 length, i64 flags) {
  return call(SYS_recvfrom, fd, (i64)bytes, length, MSG_DONTWAIT_ | flags, 0, 0);
}

static int is_failure(i64 result) { return result < 0 && result != EAGAIN_ && result != EINTR_; }

/* Sets the events of one side: it is read unless its direction is blocked, and waited for if it blocks the other. */
static void watch(struct loop *loop, struct stream *stream, int side) {
  u32 events = (stream->is_blocked[side] ? 0 : EPOLL_IN) | (stream->is_blocked[!side] ? EPOLL_OUT : 0);
  if (stream->watched[side] == events) return;
  struct event event = { events, (u64)stream | (u64)side };
  stream->watched[side] = events;
  if (call(SYS_epoll_ctl, loop->epoll, EPOLL_MOD, stream->fds[side], (i64)&event, 0, 0) < 0) stream->is_leaving = 1;
}

/* Sends one read of a side to the other side, and removes from the first what the second has accepted. */
static void copy(struct loop *loop, struct stream *stream, int from, u8 *buffer) {
  i64 length = receive(stream->fds[from], buffer, READ_BYTES, MSG_PEEK_);
  i64 sent = length > 0 ? send_bytes(stream->fds[!from], buffer, length) : 0;
  /* A side that has ended has length 0. What a failed send has left is for splice.ts. */
  if (length == 0 || is_failure(length) || is_failure(sent)) { stream->is_leaving = 1; return; }
  if (sent < 0) sent = 0;
  follow(&stream->frames[from], buffer, sent);
  if (from == CLIENT && stream->awaits_pong && sent == 6 && buffer[0] == 0x8a && buffer[1] == 0x80) stream->awaits_pong = 0;
  else stream->bytes[from] += (double)sent;
  /* TCP removes bytes without a copy; other sockets ignore MSG_TRUNC. Fails only if a reset has removed them. */
  for (i64 left = sent; left > 0;) {
    i64 removed = receive(stream->fds[from], buffer, left, MSG_TRUNC_);
    if (removed <= 0) { stream->is_leaving = 1; return; }
    left -= removed;
  }
  stream->is_blocked[from] = sent < length;
  watch(loop, stream, from);
  watch(loop, stream, !from);
}

/* Pings the client, if it reads and no frame of the browser is incomplete. A send of two bytes is never partial. */
static void ping(struct stream *stream) {
  struct frames *frames = &stream->frames[BROWSER];
  const u8 frame[2] = { 0x89, 0 };
  if (stream->is_blocked[BROWSER] || frames->payload_left != 0 || frames->is_second_byte != 0 ||
    frames->length_bytes_left != 0 || frames->has_closed != 0) return;
  if (send_bytes(stream->fds[CLIENT], frame, sizeof frame) == sizeof frame) stream->awaits_pong = 1;
}

/* Adds the streams that the caller has pushed. One that epoll does not take is returned at once. */
static void adopt(struct loop *loop) {
  struct stream *stream = __atomic_exchange_n(&loop->added, 0, __ATOMIC_ACQUIRE);
  while (stream) {
    struct stream *next = stream->next;
    for (int side = CLIENT; side <= BROWSER; side++) {
      struct event event = { EPOLL_IN, (u64)stream | (u64)side };
      stream->watched[side] = EPOLL_IN;
      if (call(SYS_epoll_ctl, loop->epoll, EPOLL_ADD, stream->fds[side], (i64)&event, 0, 0) < 0) stream->is_leaving = 1;
    }
    stream->next = loop->streams;
    loop->streams = stream;
    stream = next;
  }
}

static void wake(i32 fd) {
  u64 one = 1;
  call(SYS_write, fd, (i64)&one, sizeof one, 0, 0, 0);
}

static void drain(i32 fd) {
  u64 count;
  call(SYS_read, fd, (i64)&count, sizeof count, 0, 0, 0);
}

/*
 * Runs the commands of all streams and returns those that leave. Called when all events of a wait are handled, so no
 * event of a returned stream follows.
 */
static void sweep(struct loop *loop) {
  int has_returned = 0;
  for (struct stream **link = &loop->streams; *link;) {
    struct stream *stream = *link;
    i32 commands = __atomic_exchange_n(&stream->commands, 0, __ATOMIC_ACQUIRE);
    if (commands & RETURN) stream->is_leaving = 1;
    if (commands & PING && !stream->is_leaving) ping(stream);
    if (!stream->is_leaving) { link = &stream->next; continue; }
    *link = stream->next;
    for (int side = CLIENT; side <= BROWSER; side++)
      call(SYS_epoll_ctl, loop->epoll, EPOLL_DEL, stream->fds[side], 0, 0, 0);
    __atomic_store_n(&stream->returned, 1, __ATOMIC_RELEASE);
    has_returned = 1;
  }
  if (has_returned) wake(loop->wake_caller);
}

EXPORT i32 join_version(void) { return VERSION; }

/* Closes what join_open() has opened, when join_run() and join_wait() have returned. */
EXPORT void join_close(struct loop *loop) {
  i32 fds[3] = { loop->epoll, loop->wake_loop, loop->wake_caller };
  for (int at = 0; at < 3; at++) if (fds[at] >= 0) call(SYS_close, fds[at], 0, 0, 0, 0, 0);
}

/* Prepares a loop in memory of the caller that is zero. Returns a negative number on failure. */
EXPORT i32 join_open(struct loop *loop) {
  loop->epoll = (i32)call(SYS_epoll_create1, CLOEXEC, 0, 0, 0, 0, 0);
  loop->wake_loop = (i32)call(SYS_eventfd2, 0, CLOEXEC, 0, 0, 0, 0);
  loop->wake_caller = (i32)call(SYS_eventfd2, 0, CLOEXEC, 0, 0, 0, 0);
  struct event event = { EPOLL_IN, 0 };
  i64 result = call(SYS_epoll_ctl, loop->epoll, EPOLL_ADD, loop->wake_loop, (i64)&event, 0, 0);
  if (result < 0 || loop->wake_caller < 0) { join_close(loop); return -1; }
  return 0;
}

/* Copies until join_stop() or a failure, in a thread of the caller. The loop then uses no stream any more. */
EXPORT void join_run(struct loop *loop) {
  u8 buffer[READ_BYTES];
  struct event events[EVENTS];
  while (!__atomic_load_n(&loop->is_stopped, __ATOMIC_ACQUIRE)) {
    i64 count = call(SYS_epoll_pwait, loop->epoll, (i64)events, EVENTS, -1, 0, 8);
    if (count < 0 && count != EINTR_) break;
    int must_sweep = 0;
    for (i64 at = 0; at < count; at++) {
      struct stream *stream = (struct stream *)(events[at].data & ~(u64)1);
      if (!stream) { drain(loop->wake_loop); adopt(loop); must_sweep = 1; continue; }
      int side = events[at].data & 1;
      u32 what = events[at].events;
      if (stream->is_leaving) continue;
      if (what & EPOLL_OUT) copy(loop, stream, !side, buffer);
      if (what & EPOLL_IN && !stream->is_leaving && !stream->is_blocked[side]) copy(loop, stream, side, buffer);
      if (what & (EPOLL_ERR | EPOLL_HUP)) stream->is_leaving = 1;
      must_sweep |= stream->is_leaving;
    }
    if (must_sweep) sweep(loop);
  }
  __atomic_store_n(&loop->is_stopped, 1, __ATOMIC_RELEASE);
  wake(loop->wake_caller);
}

/* Hands a stream to the loop. The caller keeps its memory and descriptors until it is returned or the loop has ended. */
EXPORT void join_add(struct loop *loop, struct stream *stream) {
  stream->next = __atomic_load_n(&loop->added, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(&loop->added, &stream->next, stream, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
  wake(loop->wake_loop);
}

/* Sets commands of a stream. No effect if it is returned. */
EXPORT void join_command(struct loop *loop, struct stream *stream, i32 commands) {
  __atomic_fetch_or(&stream->commands, commands, __ATOMIC_RELEASE);
  wake(loop->wake_loop);
}

/* Waits until a stream is returned or the loop has ended. */
EXPORT void join_wait(struct loop *loop) { drain(loop->wake_caller); }

/* Ends the loop, with whatever streams it has. */
EXPORT void join_stop(struct loop *loop) {
  __atomic_store_n(&loop->is_stopped, 1, __ATOMIC_RELEASE);
  wake(loop->wake_loop);
}

/* Sends bytes at once. Returns the number that was accepted. */
EXPORT i32 join_send(i32 fd, const u8 *bytes, i32 length) {
  i64 sent = length > 0 ? send_bytes(fd, bytes, length) : 0;
  return sent < 0 ? 0 : (i32)sent;
}
