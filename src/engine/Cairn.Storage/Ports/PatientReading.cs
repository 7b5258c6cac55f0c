using Cairn.Core.Primitives;

namespace Cairn.Storage.Ports;

/// <summary>Reads of what would be given up for lost if it could not be read.</summary>
/// <remarks>What a device refuses once it may give next time, and nobody else may have it.</remarks>
internal static class PatientReading
{
    private const int ReadsAgain = 2;

    /// <summary>As <see cref="IDiskFile.Read"/>, or <see cref="IDiskFile.ReadBulk"/>; asks again while the device refuses.</summary>
    public static Result<Unit, DiskError> ReadPatiently(
        this IDiskFile file, long offset, Span<byte> buffer, bool isBulk = false)
    {
        Result<Unit, DiskError> read = ReadOnce(file, offset, buffer, isBulk);
        for (int again = 0; again < ReadsAgain && IsFromDevice(read); again++)
        {
            read = ReadOnce(file, offset, buffer, isBulk);
        }

        return read;
    }

    private static Result<Unit, DiskError> ReadOnce(IDiskFile file, long offset, Span<byte> buffer, bool isBulk) =>
        isBulk ? file.ReadBulk(offset, buffer) : file.Read(offset, buffer);

    /// <summary>Whether the bytes were not seen at all.</summary>
    private static bool IsFromDevice(Result<Unit, DiskError> read) =>
        !read.IsOk && read.Error.Kind == DiskErrorKind.InputOutput;
}
