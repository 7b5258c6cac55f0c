using Cairn.Core.Primitives;

namespace Cairn.Storage.Ports;

/// <summary>Reads of what would be given up for lost if it could not be read.</summary>
/// <remarks>What a device refuses once it may give next time, and nobody else may have it.</remarks>
internal static class PatientReading
{
    private const int ReadsAgain = 2;

    /// <summary>Reads as it is to be used, and asks again while the device refuses.</summary>
    public static Result<Unit, DiskError> ReadPatiently(
        this IDiskFile file, long offset, Span<byte> buffer, ReadUse use = ReadUse.Again)
    {
        Result<Unit, DiskError> read = Read(file, offset, buffer, use);
        for (int again = 0; again < ReadsAgain && IsFromDevice(read); again++)
        {
            read = Read(file, offset, buffer, use);
        }

        return read;
    }

    private static Result<Unit, DiskError> Read(IDiskFile file, long offset, Span<byte> buffer, ReadUse use) =>
        use switch
        {
            ReadUse.Once => file.ReadOnce(offset, buffer),
            ReadUse.Bulk => file.ReadBulk(offset, buffer),
            ReadUse.Again or _ => file.Read(offset, buffer),
        };

    /// <summary>Whether the bytes were not seen at all.</summary>
    private static bool IsFromDevice(Result<Unit, DiskError> read) =>
        !read.IsOk && read.Error.Kind == DiskErrorKind.InputOutput;
}
