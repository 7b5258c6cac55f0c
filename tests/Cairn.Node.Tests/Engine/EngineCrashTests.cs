using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Time;
using Cairn.Storage.Journaling;

namespace Cairn.Node.Tests.Engine;

/// <summary>The machine dies at every change of its disk under a working volume; what was acknowledged is there afterwards.</summary>
public sealed class EngineCrashTests
{
    private static readonly Caller User = new(1, 2, 3);

    [Theory]
    [InlineData(CrashKind.ProcessKilled)]
    [InlineData(CrashKind.PowerLost)]
    public void DyingAtAnyChange_LosesNothingPromised(CrashKind kind)
    {
        bool died = true;
        for (long at = 1; died; at++)
        {
            died = new Story(kind, at).Run();
        }
    }

    /// <summary>One life of a node until its death, and the next one.</summary>
    private sealed class Story
    {
        private readonly CrashKind _kind;
        private readonly long _at;
        private readonly SimulatedScheduler _scheduler = new();
        private readonly SimulatedDisk _disk = new();
        private readonly Dictionary<string, byte[]> _acknowledged = [];
        private readonly Dictionary<string, byte[]> _synced = [];
        private readonly HashSet<string> _touched = [];
        private readonly EngineNode _node;
        private SimulatedProcess _process = null!;

        public Story(CrashKind kind, long at)
        {
            _kind = kind;
            _at = at;
            _node = new EngineNode(_disk)
            {
                JournalOptions = new JournalOptions { SegmentBytes = 512 << 10, SegmentsMax = 16 },
                SpaceBytes = 128 << 20,
                IsAlone = false,
            };
        }

        public bool Run()
        {
            _disk.Faults.DieAtChange = _at;
            if (TryOpen())
            {
                Work();
            }

            bool died = _disk.Faults.IsDead;
            _process.Kill();
            _disk.Crash(_kind, (ulong)_at);
            Assert.True(TryOpen(), $"at {_at}: the volume does not open");
            Check("at once");
            _scheduler.RunFor(TimeSpan.FromSeconds(10));
            Assert.False(_node.Engine.HasUnpublishedWrites, $"at {_at}: drafts are not published again");
            Check("published");
            Assert.Empty(_scheduler.Failures);
            return died;
        }

        private void Work()
        {
            Write("a", Pattern(90, 1));
            Write("b", Pattern(60_000, 2));
            Sync("b");
            Pass(50);
            Write("c", Pattern(150_000, 3));
            Rename("a", "a2");
            Write("b", Pattern(70_000, 4));
            Pass(3000);
            Sync("c");
            Write("c", Pattern(3000, 5));
            Unlink("b");
            Pass(50);
            Write("d", Pattern(5000, 6));
            Sync("d");
            Pass(3000);
        }

        private bool TryOpen()
        {
            _process = _scheduler.CreateProcess("node");
            return _node.TryOpen(_process, _process.Time).IsOk;
        }

        private void Check(string when)
        {
            Dictionary<string, byte[]> expected = _kind == CrashKind.ProcessKilled ? _acknowledged : _synced;
            foreach ((string name, byte[] content) in expected)
            {
                if (_touched.Contains(name))
                {
                    continue;
                }

                byte[]? found = Read(name);
                Assert.True(found is not null, $"at {_at}, {when}: {name} is gone");
                Assert.True(content.AsSpan().SequenceEqual(found), $"at {_at}, {when}: {name} has other content");
            }
        }

        /// <summary>Writes a file's content in two halves and closes it; what was not acknowledged may be there or not.</summary>
        private void Write(string name, byte[] content)
        {
            bool isNew = _touched.Add(name);
            Result<OpenedFile, VolumeError> opened = Wait(_node.Engine.Create(
                InodeNumber.Root, Name(name), 0x1A4, OpenIntent.Read | OpenIntent.Write, User));
            if (!opened.IsOk)
            {
                return;
            }

            int half = content.Length / 2;
            bool ok = Wait(_node.Engine.Write(opened.Value.Handle, 0, content.AsMemory(0, half))).IsOk;
            ok = ok && Wait(_node.Engine.Write(opened.Value.Handle, half, content.AsMemory(half))).IsOk;
            if (!ok)
            {
                return;
            }

            byte[] before = _acknowledged.GetValueOrDefault(name, []);
            byte[] now = new byte[Math.Max(before.Length, content.Length)];
            before.CopyTo(now, 0);
            content.CopyTo(now, 0);
            _acknowledged[name] = now;
            Wait(_node.Engine.Release(opened.Value.Handle));
            if (_kind == CrashKind.ProcessKilled && isNew)
            {
                _touched.Remove(name);
            }
        }

        private void Sync(string name)
        {
            Result<ObjectAttributes, VolumeError> found = Wait(_node.Engine.Lookup(InodeNumber.Root, Name(name)));
            Result<OpenedFile, VolumeError> opened = found.IsOk
                ? Wait(_node.Engine.Open(found.Value.Inode, OpenIntent.Read | OpenIntent.Write, User))
                : found.Error;
            if (opened.IsOk && Wait(_node.Engine.Sync(opened.Value.Handle, dataOnly: true)).IsOk)
            {
                // One journal: a barrier for one file is one for all.
                _synced.Clear();
                foreach ((string each, byte[] content) in _acknowledged)
                {
                    _synced[each] = content;
                }

                if (_kind == CrashKind.PowerLost)
                {
                    _touched.Clear();
                }

                Wait(_node.Engine.Release(opened.Value.Handle));
            }
        }

        private void Rename(string from, string to)
        {
            _touched.UnionWith([from, to]);
            if (Wait(_node.Engine.Rename(InodeNumber.Root, Name(from), InodeNumber.Root, Name(to), RenameMode.Replace, User)).IsOk
                && _acknowledged.Remove(from, out byte[]? content))
            {
                _acknowledged[to] = content;
                if (_kind == CrashKind.ProcessKilled)
                {
                    _touched.ExceptWith([from, to]);
                }
            }
        }

        private void Unlink(string name)
        {
            _touched.Add(name);
            if (Wait(_node.Engine.Unlink(InodeNumber.Root, Name(name), User)).IsOk)
            {
                _acknowledged.Remove(name);
            }
        }

        private byte[]? Read(string name)
        {
            Result<ObjectAttributes, VolumeError> found = Wait(_node.Engine.Lookup(InodeNumber.Root, Name(name)));
            if (!found.IsOk)
            {
                return null;
            }

            OpenHandle handle = Wait(_node.Engine.Open(found.Value.Inode, OpenIntent.Read, User)).Value.Handle;
            byte[] content = new byte[found.Value.SizeBytes + 10];
            Result<int, VolumeError> read = Wait(_node.Engine.Read(handle, 0, content));
            Assert.True(read.IsOk, $"at {_at}: reading {name}: {read}");
            Wait(_node.Engine.Release(handle));
            return content[..read.Value];
        }

        private void Pass(int milliseconds)
        {
            if (!_disk.Faults.IsDead)
            {
                _scheduler.RunFor(TimeSpan.FromMilliseconds(milliseconds));
            }
        }

        private Result<T, VolumeError> Wait<T>(ValueTask<Result<T, VolumeError>> call)
        {
            Task<Result<T, VolumeError>> task = call.AsTask();
            return task.IsCompleted ? task.Result : _scheduler.Complete(task, TimeSpan.FromMinutes(2));
        }

        private static ReadOnlyMemory<byte> Name(string text) => Encoding.UTF8.GetBytes(text);

        private static byte[] Pattern(int length, int seed)
        {
            byte[] bytes = new byte[length];
            new Prng((ulong)seed).Fill(bytes);
            return bytes;
        }
    }
}
