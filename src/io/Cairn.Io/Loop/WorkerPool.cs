using Cairn.Io.Disk;

namespace Cairn.Io.Loop;

/// <summary>Threads of one priority that take work from one queue, made when the queue first outgrows the idle ones.</summary>
internal sealed class WorkerPool(string name, int threadsMax, int nice) : IDisposable
{
    private readonly object _gate = new();
    private readonly Queue<WorkItem> _queue = new();
    private readonly List<Thread> _threads = [];
    private int _idle;
    private bool _stopping;

    internal void Add(WorkItem item)
    {
        lock (_gate)
        {
            if (!_stopping)
            {
                _queue.Enqueue(item);
                if (_queue.Count > _idle && _threads.Count < threadsMax)
                {
                    StartThread();
                }

                Monitor.Pulse(_gate);
                return;
            }
        }

        item.Abandon();
    }

    /// <summary>Waits for running work; work still queued is cancelled.</summary>
    public void Dispose()
    {
        WorkItem[] abandoned;
        lock (_gate)
        {
            _stopping = true;
            abandoned = [.. _queue];
            _queue.Clear();
            Monitor.PulseAll(_gate);
        }

        foreach (WorkItem item in abandoned)
        {
            item.Abandon();
        }

        foreach (Thread thread in _threads)
        {
            thread.Join();
        }
    }

    private void StartThread()
    {
        var thread = new Thread(Work) { IsBackground = true, Name = $"{name}-{_threads.Count}" };
        _threads.Add(thread);
        thread.Start();
    }

    private void Work()
    {
        if (nice != 0)
        {
            // Linux gives every thread its own nice value; 0 names the calling one. Without it all still works.
            _ = LibC.SetPriority(LibC.PriorityOfProcess, 0, nice);
        }

        while (Take() is { } item)
        {
            item.Execute();
        }
    }

    private WorkItem? Take()
    {
        lock (_gate)
        {
            while (_queue.Count == 0)
            {
                if (_stopping)
                {
                    return null;
                }

                _idle++;
                Monitor.Wait(_gate);
                _idle--;
            }

            return _queue.Dequeue();
        }
    }
}
