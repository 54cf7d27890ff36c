/*
 * A disk that loses power, under a Gatehouse that does not know of it (LD_PRELOAD, Linux).
 *
 * Every file right in the data folder is written as usual: that is what the operating system would
 * have in memory. Beside it a shadow keeps what the disk would hold: sectors get there when the file
 * is synced, and names when the folder is. At the cut each sector of 512 bytes that was not synced
 * either reached the disk or did not, by a seed; of the changes to the folder that were not synced
 * the first few did, in their order. Then the process is killed, and the shadow is what is left.
 *
 * Not modelled: a sector written twice since the last sync holds its first or its last state, never
 * one between; a sector is never torn itself; the shared memory of SQLite (-shm), which it builds
 * anew; a disk that lies about a sync. What would escape the model (a writable mapping, and calls
 * that are not known here) ends the process with a sentence.
 *
 * Without a shadow it only ends the process at a chosen write, with what was written left as it is.
 *
 *   GATEHOUSE_DISK_FOLDER  the data folder, absolute
 *   GATEHOUSE_DISK_SHADOW  an empty folder for the shadow: numbered files, and at the cut `names`
 *   GATEHOUSE_DISK_AT      `any` moment, or before a `write`, before a `sync`, once it is `synced`, once
 *                          a file is `removed`
 *   GATEHOUSE_DISK_FILE    only where it is this file; any where it is not set
 *   GATEHOUSE_DISK_NTH     at which of them, from 1
 *   GATEHOUSE_DISK_ARMED   a file: they count once it exists; from the start where it is not set
 *   GATEHOUSE_DISK_KEEPS   percent of the sectors not synced that reach the disk all the same
 *   GATEHOUSE_DISK_SEED    chooses them
 *   GATEHOUSE_DISK_FULL    while this file exists no file can grow (ENOSPC)
 *   GATEHOUSE_DISK_FAILS   while this file exists every sync fails (EIO), and what it was for is
 *                          never brought to the disk unless it is written again, as on Linux
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define SECTOR 512
#define MOST_FDS 65536
#define MOST_OBJECTS 4096
#define MOST_CHANGES 65536
#define NAME 128

/* One file, whatever its name is. Its number is its place in the table. */
struct object {
  int used, shadow;
  dev_t dev;
  ino_t ino;
  char name[NAME]; /* as it is now; empty once it is unlinked */
  off_t durable;   /* its size on the disk */
  uint8_t *dirty;  /* one bit a sector */
  size_t sectors;  /* that `dirty` has room for */
};

/* A change of the folder that is not on the disk yet: `name` is now this object, or (0) is gone. */
struct change {
  char name[NAME];
  int object;
  int follows; /* one step with the change before it (rename) */
};

static const char *folder, *shadow_folder, *at = "", *only, *armed_file, *full_file, *fails_file;
static size_t folder_length;
static long nth = 1, keeps;
static uint64_t state = 1;
static int armed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct object objects[MOST_OBJECTS];
static int objects_used = 1; /* 0 is none */
static int of_fd[MOST_FDS];  /* object; -1: the folder itself */
static struct change names[MOST_OBJECTS]; /* the folder on the disk */
static int names_used;
static struct change changes[MOST_CHANGES];
static int changes_used;

static int is_there(const char *file) { return file != NULL && access(file, F_OK) == 0; }

static void stop(const char *why) {
  dprintf(2, "disk.c: %s\n", why);
  _exit(70);
}

static uint64_t next_random(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

/* The kernel's own calls: this file stands in the place of the library's. */
static int k_open(const char *path, int flags, mode_t mode) {
  return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
static ssize_t k_pread(int fd, void *to, size_t length, off_t from) {
  return syscall(SYS_pread64, fd, to, length, from);
}
static ssize_t k_pwrite(int fd, const void *from, size_t length, off_t to) {
  return syscall(SYS_pwrite64, fd, from, length, to);
}
static void k_close(int fd) { syscall(SYS_close, fd); }

/* --- the disk ------------------------------------------------------------------------------- */

static int is_dirty(struct object *o, size_t sector) {
  return sector < o->sectors && (o->dirty[sector / 8] >> (sector % 8) & 1);
}

static void mark(struct object *o, off_t from, off_t length) {
  if (length <= 0) return;
  size_t last = (from + length - 1) / SECTOR;
  if (last >= o->sectors) {
    size_t room = (last + 1) * 2 / 8 + 1024;
    o->dirty = realloc(o->dirty, room);
    if (o->dirty == NULL) stop("no memory");
    memset(o->dirty + o->sectors / 8, 0, room - o->sectors / 8);
    o->sectors = room * 8;
  }
  for (size_t s = from / SECTOR; s <= last; s++) o->dirty[s / 8] |= 1 << (s % 8);
}

/* Bring sectors of a file to the disk: all that are dirty, or by chance. */
static void bring(struct object *o, int live, off_t size, int all) {
  char bytes[64 * SECTOR];
  off_t reached = o->durable < size ? o->durable : size;
  size_t last = (size + SECTOR - 1) / SECTOR;
  for (size_t s = 0; s < last && s < o->sectors;) {
    if (!is_dirty(o, s) || (!all && (long)(next_random() % 100) >= keeps)) {
      s++;
      continue;
    }
    size_t run = 1;
    while (all && run < 64 && s + run < last && is_dirty(o, s + run)) run++;
    ssize_t got = k_pread(live, bytes, run * SECTOR, (off_t)s * SECTOR);
    if (got > 0 && k_pwrite(o->shadow, bytes, got, (off_t)s * SECTOR) != got) stop("shadow");
    if (got > 0 && (off_t)s * SECTOR + got > reached) reached = (off_t)s * SECTOR + got;
    s += run;
  }
  /* A size that was not synced may be the old one, the new one, or just hold what has arrived. */
  if (!all) {
    uint64_t choice = next_random() % 3;
    if (choice == 0) size = reached;
    else if (choice == 1 && o->durable > size) size = o->durable;
  }
  if (ftruncate(o->shadow, size) != 0) stop("shadow");
  o->durable = size;
  if (o->dirty) memset(o->dirty, 0, o->sectors / 8);
}

static void apply(struct change *one) {
  for (int i = 0; i < names_used; i++) {
    if (strcmp(names[i].name, one->name) != 0) continue;
    names[i] = *one;
    return;
  }
  if (names_used == MOST_OBJECTS) stop("too many names");
  names[names_used++] = *one;
}

static void change(const char *name, int object, int follows) {
  if (changes_used == MOST_CHANGES) stop("too many changes of the folder");
  struct change *one = &changes[changes_used++];
  snprintf(one->name, NAME, "%s", name);
  one->object = object;
  one->follows = follows;
}

static void end_process(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* The power goes. Never returns; the lock stays held, so nothing else reaches the disk. */
static void cut(void) {
  if (shadow_folder == NULL) end_process();
  char path[4096];
  for (int i = 1; i < objects_used; i++) {
    struct object *o = &objects[i];
    if (!o->used || o->name[0] == 0) continue;
    snprintf(path, sizeof path, "%s/%s", folder, o->name);
    int live = k_open(path, O_RDONLY, 0);
    struct stat is;
    if (live < 0 || fstat(live, &is) != 0) continue;
    bring(o, live, is.st_size, 0);
  }
  int first = changes_used == 0 ? 0 : next_random() % (changes_used + 1);
  while (first < changes_used && changes[first].follows) first++;
  for (int i = 0; i < first; i++) apply(&changes[i]);
  snprintf(path, sizeof path, "%s/names", shadow_folder);
  int fd = k_open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  for (int i = 0; i < names_used; i++) {
    if (names[i].object != 0) dprintf(fd, "%d %s\n", names[i].object, names[i].name);
  }
  end_process();
}

/* Called with the lock held. */
static void reached_at(const char *what, const char *name) {
  if (strcmp(at, what) != 0) return;
  if (only != NULL && (name == NULL || strcmp(only, name) != 0)) return;
  if (!armed && armed_file != NULL && !is_there(armed_file)) return;
  armed = 1;
  if (--nth == 0) cut();
}
static void reached(const char *what, struct object *o) {
  reached_at(what, o == NULL ? NULL : o->name);
}

static int sync_fd(int fd) {
  pthread_mutex_lock(&lock);
  int n = of_fd[fd];
  struct object *o = n > 0 ? &objects[n] : NULL;
  reached("sync", o);
  if (is_there(fails_file)) {
    if (o != NULL && o->dirty != NULL) memset(o->dirty, 0, o->sectors / 8);
    pthread_mutex_unlock(&lock);
    errno = EIO;
    return -1;
  }
  if (o != NULL) {
    char path[64];
    struct stat is;
    /* The descriptor itself may be open for writing only. */
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int live = k_open(path, O_RDONLY, 0);
    if (live < 0 || fstat(live, &is) != 0) stop("a file that is synced cannot be read");
    bring(o, live, is.st_size, 1);
    k_close(live);
  } else {
    for (int i = 0; i < changes_used; i++) apply(&changes[i]);
    changes_used = 0;
  }
  reached("synced", o);
  pthread_mutex_unlock(&lock);
  return 0;
}

/* --- what Gatehouse does -------------------------------------------------------------------- */

/* The name of a path right in the folder, if it is one that is watched. */
static const char *name_in_folder(const char *path) {
  if (folder == NULL || strncmp(path, folder, folder_length) != 0 || path[folder_length] != '/')
    return NULL;
  const char *name = path + folder_length + 1;
  size_t length = strlen(name);
  if (length == 0 || length >= NAME || strchr(name, '/') != NULL) return NULL;
  return length > 4 && strcmp(name + length - 4, "-shm") == 0 ? NULL : name;
}

static int object_of(const char *name, const struct stat *is, int create) {
  for (int i = 1; i < objects_used; i++) {
    struct object *o = &objects[i];
    if (o->used && o->name[0] && o->dev == is->st_dev && o->ino == is->st_ino) return i;
  }
  if (!create) return 0;
  if (objects_used == MOST_OBJECTS) stop("too many files");
  struct object *o = &objects[objects_used];
  char path[4096];
  o->used = 1;
  o->dev = is->st_dev;
  o->ino = is->st_ino;
  snprintf(o->name, NAME, "%s", name);
  if (shadow_folder != NULL) {
    snprintf(path, sizeof path, "%s/%d", shadow_folder, objects_used);
    o->shadow = k_open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (o->shadow < 0) stop("no shadow could be made");
  }
  return objects_used++;
}

static void opened(int fd) {
  char link[64], path[4096];
  struct stat is;
  if (folder == NULL || fd < 0 || fd >= MOST_FDS) return;
  of_fd[fd] = 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return;
  path[length] = 0;
  if (strcmp(path, folder) == 0) {
    of_fd[fd] = -1;
    return;
  }
  const char *name = name_in_folder(path);
  if (name == NULL || fstat(fd, &is) != 0 || !S_ISREG(is.st_mode)) return;
  pthread_mutex_lock(&lock);
  int n = object_of(name, &is, 0);
  if (n == 0) change(name, n = object_of(name, &is, 1), 0);
  of_fd[fd] = n;
  pthread_mutex_unlock(&lock);
}

/* Node closes descriptors by calls of its own, so a number may have passed to something else. */
static int is_still(int fd) {
  struct stat is;
  if (fstat(fd, &is) != 0) return 0;
  if (of_fd[fd] < 0) return S_ISDIR(is.st_mode);
  return objects[of_fd[fd]].dev == is.st_dev && objects[of_fd[fd]].ino == is.st_ino;
}
static int known(int fd) {
  if (fd < 0 || fd >= MOST_FDS || of_fd[fd] == 0) return 0;
  if (is_still(fd)) return 1;
  of_fd[fd] = 0;
  return 0;
}
static int watched(int fd) { return known(fd) && of_fd[fd] > 0; }

static int open_any(int dir, const char *path, int flags, va_list more) {
  mode_t mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(more, mode_t) : 0;
  struct stat is;
  off_t before = flags & O_TRUNC && stat(path, &is) == 0 ? is.st_size : 0;
  int fd = syscall(SYS_openat, dir, path, flags, mode);
  int error = errno;
  opened(fd);
  if (before > 0 && watched(fd)) {
    pthread_mutex_lock(&lock);
    mark(&objects[of_fd[fd]], 0, before);
    pthread_mutex_unlock(&lock);
  }
  errno = error;
  return fd;
}

int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  int fd = open_any(AT_FDCWD, path, flags, more);
  va_end(more);
  return fd;
}
int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int openat(int dir, const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  int fd = open_any(dir, path, flags, more);
  va_end(more);
  return fd;
}
int openat64(int dir, const char *path, int flags, ...) __attribute__((alias("openat")));

int close(int fd) {
  if (fd >= 0 && fd < MOST_FDS) of_fd[fd] = 0;
  return syscall(SYS_close, fd);
}

/* Before and after a write; between them nothing else is written. */
static struct object *begin_write(int fd) {
  pthread_mutex_lock(&lock);
  struct object *o = &objects[of_fd[fd]];
  reached("write", o);
  return o;
}
static ssize_t end_write(struct object *o, off_t from, ssize_t written) {
  int error = errno;
  mark(o, from, written);
  pthread_mutex_unlock(&lock);
  errno = error;
  return written;
}

/* Whether a write must fail because the file would grow on a full disk. */
static int no_room(int fd, off_t end) {
  struct stat is;
  if (!is_there(full_file) || fstat(fd, &is) != 0 || end <= is.st_size) return 0;
  errno = ENOSPC;
  return 1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t to) {
  if (!watched(fd)) return k_pwrite(fd, bytes, length, to);
  if (no_room(fd, to + length)) return -1;
  struct object *o = begin_write(fd);
  return end_write(o, to, k_pwrite(fd, bytes, length, to));
}
ssize_t pwrite(int, const void *, size_t, off_t) __attribute__((alias("pwrite64")));

ssize_t write(int fd, const void *bytes, size_t length) {
  if (!watched(fd)) return syscall(SYS_write, fd, bytes, length);
  if (no_room(fd, syscall(SYS_lseek, fd, 0, SEEK_CUR) + (off_t)length)) return -1;
  struct object *o = begin_write(fd);
  ssize_t written = syscall(SYS_write, fd, bytes, length);
  off_t end = syscall(SYS_lseek, fd, 0, SEEK_CUR);
  return end_write(o, end - written, written);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  if (watched(fd)) stop("writev is not modelled");
  return syscall(SYS_writev, fd, parts, count);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t to) {
  if (watched(fd)) stop("pwritev is not modelled");
  return syscall(SYS_pwritev, fd, parts, count, to, 0);
}
ssize_t pwritev(int, const struct iovec *, int, off_t) __attribute__((alias("pwritev64")));

int ftruncate64(int fd, off64_t size) {
  if (!watched(fd)) return syscall(SYS_ftruncate, fd, size);
  struct object *o = begin_write(fd);
  struct stat is;
  off_t before = fstat(fd, &is) == 0 ? is.st_size : 0;
  int result = syscall(SYS_ftruncate, fd, size);
  /* What lies beyond the new end, and is written anew later, is not what was there before. */
  end_write(o, size, result == 0 && before > size ? before - size : 0);
  return result;
}
int ftruncate(int, off_t) __attribute__((alias("ftruncate64")));

int fsync(int fd) {
  return shadow_folder != NULL && known(fd) ? sync_fd(fd) : syscall(SYS_fsync, fd);
}
int fdatasync(int fd) {
  return shadow_folder != NULL && known(fd) ? sync_fd(fd) : syscall(SYS_fdatasync, fd);
}

/* A name goes: the file is still there for who has it open, and on the disk until the folder is
   synced. Called with the lock held. */
static void gone(const char *name) {
  for (int i = 1; i < objects_used; i++) {
    if (objects[i].used && strcmp(objects[i].name, name) == 0) objects[i].name[0] = 0;
  }
}

int unlink(const char *path) {
  const char *name = name_in_folder(path);
  if (name == NULL) return syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  pthread_mutex_lock(&lock);
  int result = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  int error = errno;
  if (result == 0) {
    gone(name);
    change(name, 0, 0);
    reached_at("removed", name);
  }
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

/* How Node removes a file: by C++'s std::filesystem, which has two ways. */
int unlinkat(int dir, const char *path, int flags) {
  if (flags == 0 && (dir == AT_FDCWD || path[0] == '/')) return unlink(path);
  if (flags == 0 && known(dir) && of_fd[dir] < 0) {
    char whole[4096];
    snprintf(whole, sizeof whole, "%s/%s", folder, path);
    return unlink(whole);
  }
  return syscall(SYS_unlinkat, dir, path, flags);
}
int remove(const char *path) {
  int result = unlink(path);
  if (result == 0 || errno != EISDIR) return result;
  return syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
}

int truncate64(const char *path, off64_t size) {
  if (name_in_folder(path) != NULL) stop("truncate is not modelled");
  return syscall(SYS_truncate, path, size);
}
int truncate(const char *, off_t) __attribute__((alias("truncate64")));

int link(const char *from, const char *to) {
  if (name_in_folder(to) != NULL) stop("link is not modelled");
  return syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int rename(const char *from, const char *to) {
  const char *before = name_in_folder(from), *after = name_in_folder(to);
  if (before == NULL && after == NULL)
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  if (before == NULL || after == NULL) stop("a file is moved into the folder or out of it");
  pthread_mutex_lock(&lock);
  struct stat is;
  int n = stat(from, &is) == 0 ? object_of(before, &is, 0) : 0;
  int result = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  int error = errno;
  if (result == 0) {
    if (n == 0) stop("a file is renamed that was never opened");
    gone(after);
    snprintf(objects[n].name, NAME, "%s", after);
    change(after, n, 0);
    change(before, 0, 1);
  }
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}

void *mmap64(void *where, size_t length, int protection, int flags, int fd, off64_t from) {
  if (watched(fd) && (flags & MAP_SHARED) && (protection & PROT_WRITE))
    stop("a writable mapping is not modelled");
  return (void *)syscall(SYS_mmap, where, length, protection, flags, fd, from);
}
void *mmap(void *, size_t, int, int, int, off_t) __attribute__((alias("mmap64")));

int posix_fallocate64(int fd, off64_t from, off64_t length) {
  if (watched(fd)) stop("fallocate is not modelled");
  return syscall(SYS_fallocate, fd, 0, from, length) == 0 ? 0 : errno;
}
int posix_fallocate(int, off_t, off_t) __attribute__((alias("posix_fallocate64")));

ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t length, unsigned flags) {
  if (watched(out)) stop("copy_file_range is not modelled");
  return syscall(SYS_copy_file_range, in, from, out, to, length, flags);
}

/* --- its beginning -------------------------------------------------------------------------- */

static void *watch(void *nothing) {
  struct timespec pause = {0, 500000};
  for (;;) {
    nanosleep(&pause, NULL);
    pthread_mutex_lock(&lock);
    reached("any", NULL);
    pthread_mutex_unlock(&lock);
  }
  return nothing;
}

/* What is in the folder already is on the disk. */
static void take_up(void) {
  DIR *all = opendir(folder);
  if (all == NULL) return;
  for (struct dirent *entry; (entry = readdir(all)) != NULL;) {
    char path[4096];
    struct stat is;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    const char *name = name_in_folder(path);
    if (name == NULL || stat(path, &is) != 0 || !S_ISREG(is.st_mode)) continue;
    int n = object_of(name, &is, 1);
    struct change one = {.object = n};
    snprintf(one.name, NAME, "%s", name);
    apply(&one);
    if (shadow_folder == NULL) continue;
    int live = k_open(path, O_RDONLY, 0);
    mark(&objects[n], 0, is.st_size);
    bring(&objects[n], live, is.st_size, 1);
    k_close(live);
  }
  closedir(all);
}

__attribute__((constructor)) static void begin(void) {
  const char *text;
  shadow_folder = getenv("GATEHOUSE_DISK_SHADOW");
  armed_file = getenv("GATEHOUSE_DISK_ARMED");
  only = getenv("GATEHOUSE_DISK_FILE");
  full_file = getenv("GATEHOUSE_DISK_FULL");
  fails_file = getenv("GATEHOUSE_DISK_FAILS");
  if ((text = getenv("GATEHOUSE_DISK_AT")) != NULL) at = text;
  if ((text = getenv("GATEHOUSE_DISK_NTH")) != NULL) nth = atol(text);
  if ((text = getenv("GATEHOUSE_DISK_KEEPS")) != NULL) keeps = atol(text);
  if ((text = getenv("GATEHOUSE_DISK_SEED")) != NULL) state = strtoull(text, NULL, 10) * 2654435761u + 1;
  folder = getenv("GATEHOUSE_DISK_FOLDER");
  if (folder == NULL) return;
  folder_length = strlen(folder);
  take_up();
  pthread_t thread;
  if (strcmp(at, "any") == 0 && pthread_create(&thread, NULL, watch, NULL) != 0) stop("no thread");
}
